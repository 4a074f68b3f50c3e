"""Training: the only part of Inkdigit that imports torch. The artefact is its only way to the runtime."""
