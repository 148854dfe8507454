"""All that knows IPython or ipywidgets: the magic, its completion, the form, and how things are shown."""
