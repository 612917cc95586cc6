"""Puts another model into use, if people's answers show that it is right more often."""
