"""From a connection to a live session: the stages of opening it, and the test that runs the very same stages."""
