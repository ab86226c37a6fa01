"""Who may do what: signing in, users, tokens and write keys, and callers with their scope."""
