"""Opening a session: the stages that every protocol has, and what to do about one that fails."""
