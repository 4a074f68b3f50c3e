"""From pages to tables: fields of forms, tables with the pictures of their cells, and the page to review them."""
