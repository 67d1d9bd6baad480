"""train-recipe: runs recipes, keeps their journal, resumes them."""

import trainsh_base  # noqa: F401 - before msgspec, which it makes quicker to load
