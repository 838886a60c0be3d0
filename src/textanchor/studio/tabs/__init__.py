"""The studio's pages: a tab each, made of Gradio's parts; they call the library and show what it says."""
