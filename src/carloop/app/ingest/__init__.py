"""The steps of the pipeline: personal values out, envelope to prepared event, event to row."""
