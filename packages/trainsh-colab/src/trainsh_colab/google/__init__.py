"""Uses Google's own command-line program for Colab, if it is installed.

The program needs a newer Python than train does.
"""
