"""The browser tests of the service's page that hold for the static site too, with its `ui`."""

from ..browser.test_drawing import (
    test_a_scribble_is_said_to_be_no_digit,
    test_digits_drawn_by_mouse_are_read,
    test_the_answer_comes_while_the_pen_is_down,
    test_the_answer_is_a_filled_form,
    test_the_canvas_goes_to_the_service_as_it_is,
    test_the_page_and_the_library_agree,
    test_undo_takes_the_last_stroke_by_button_and_key,
)
from ..browser.test_files import (
    test_a_blank_picture_gets_a_sentence,
    test_a_picture_is_pasted_or_dropped_anywhere,
    test_a_picture_lies_on_the_desk_until_something_is_drawn,
    test_a_text_file_gets_a_sentence_and_the_next_drawing_an_answer,
    test_several_files_become_a_table_and_a_csv,
)
from ..browser.test_numbers import test_a_number_is_drawn_and_undone

__all__ = [
    "test_a_blank_picture_gets_a_sentence",
    "test_a_number_is_drawn_and_undone",
    "test_a_picture_is_pasted_or_dropped_anywhere",
    "test_a_picture_lies_on_the_desk_until_something_is_drawn",
    "test_a_scribble_is_said_to_be_no_digit",
    "test_a_text_file_gets_a_sentence_and_the_next_drawing_an_answer",
    "test_digits_drawn_by_mouse_are_read",
    "test_several_files_become_a_table_and_a_csv",
    "test_the_answer_comes_while_the_pen_is_down",
    "test_the_answer_is_a_filled_form",
    "test_the_canvas_goes_to_the_service_as_it_is",
    "test_the_page_and_the_library_agree",
    "test_undo_takes_the_last_stroke_by_button_and_key",
]
