"""Where the images of a series lie: planes, steps, phases, frames of reference."""
