"""The form in a real Chromium: JupyterLab, Notebook 7 and Voila, with real mail servers behind the kernel."""
