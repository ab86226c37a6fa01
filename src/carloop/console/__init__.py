"""The web console: its source is in ``console/``, its build in ``static/`` beside this file."""
