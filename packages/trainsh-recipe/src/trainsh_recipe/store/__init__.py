"""Jobs on disk: folders, locks, journals and the state computed from them, step logs, recipes.

This subpackage imports only plan/.
"""
