"""How Gradio is told to look: fonts of the system, so that none is fetched, and the studio's colours."""

from __future__ import annotations

from typing import Any

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> Any:
    """Gradio's plainest theme."""
    import gradio as gr

    made = gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=SANS,
        font_mono=MONO,
    )
    return made.set(
        body_background_fill="#f5f6f8",
        body_background_fill_dark="#0f1318",
        block_background_fill_dark="#171c22",
        block_border_color="#dfe3e8",
        block_border_color_dark="#2c343d",
        block_label_text_color="#44505c",
        block_title_text_color="#2a333c",
        button_primary_background_fill="#0b5cad",
        button_primary_background_fill_hover="#094c90",
        button_primary_background_fill_dark="#1f6fc4",
        button_primary_text_color="#ffffff",
        input_border_color="#b6c0ca",
        input_border_color_dark="#4a5561",
    )
