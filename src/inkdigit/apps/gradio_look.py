"""What the Gradio app is in the browser: its policy and its looks."""

# Gradio's own page is built of inline scripts and styles; still nothing may come from, or go to, another host.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
CSS = """
.block.frame { flex: 0 0 138px !important; min-height: 150px; }
.frame > div:last-child { padding-top: 26px; }
.frame img { width: 112px; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; }
.words textarea { font-size: 20px; border: 0; padding: 0; background: none; box-shadow: none; }
.digit .confidence-set { margin-bottom: 0; padding: 2px; }
.digit h2 { font-size: 88px; line-height: 1; padding: 8px 0; }
.doubt h2 { font-weight: 400; color: var(--body-text-color-subdued); }
"""
