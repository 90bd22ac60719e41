"""Looking into a file without running anything of it: a module for each family of files."""
