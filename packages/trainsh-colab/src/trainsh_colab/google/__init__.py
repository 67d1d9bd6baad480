"""Google's own command-line program for Colab, where it is installed (it needs a newer Python than we do)."""
