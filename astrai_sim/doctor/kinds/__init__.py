"""What the doctor looks for: a module for each kind of finding."""
