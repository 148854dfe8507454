"""What pictures are made of: their size in pixels, and a canvas that cuts its margin off."""
