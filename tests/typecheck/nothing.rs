//! A package has to have something before the fixtures are added to it.
