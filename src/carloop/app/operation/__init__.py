"""Running carloop: checks of the machine, readiness, figures of ``/metrics``, retention."""
