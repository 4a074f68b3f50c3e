"""The Gradio and Streamlit apps, and the drawing canvas that they share."""
