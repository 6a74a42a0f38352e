"""Trainable NLP pipelines on a Rust core."""
