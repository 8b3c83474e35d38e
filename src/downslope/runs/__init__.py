"""Trainings and what they leave: from a network and data to a run and its folder."""
