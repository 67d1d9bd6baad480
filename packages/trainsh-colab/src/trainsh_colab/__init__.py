"""Google Colab as a provider of machines."""
