//! The freezer: which branches of the tree run and which wait, so that promised growth fits.
