"""Pictures of every page of the console, in every state, to be looked at by people."""
