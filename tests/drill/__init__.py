"""The crash drill: kill gateway and engine under load, then count every event."""
