"""Everything that draws training pictures: pens, forms, glyphs, paper, camera."""
