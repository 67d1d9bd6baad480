"""Currencies, and what rented machines and Colab cost."""
