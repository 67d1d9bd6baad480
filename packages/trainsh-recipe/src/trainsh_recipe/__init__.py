"""train-recipe: runs recipes, keeps their journal, resumes them."""
