"""What is known of Pipecat: its releases, its classes, and which release a project uses."""
