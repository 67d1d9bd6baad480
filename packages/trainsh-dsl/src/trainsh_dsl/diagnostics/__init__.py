"""What is wrong with a recipe: findings, their codes, how they are shown. Imports `text` and below."""
