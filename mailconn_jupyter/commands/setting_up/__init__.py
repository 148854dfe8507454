"""What a person does once on a machine: connections from elsewhere and for others, a check of files, no ``%load_ext``."""
