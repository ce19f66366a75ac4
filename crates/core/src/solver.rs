//! The solver: limit - reserve = main heap + workers x worker heap + native rest.
