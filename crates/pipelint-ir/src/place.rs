//! Places: what can be assigned, read, or have its address taken.

use rustc_hash::FxHashMap;

use crate::{LocalId, Name};

/// Index of a [`Place`] in its function's [`PlaceTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaceId(pub u32);

/// Where a place begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Base {
    /// A local variable, parameter or temporary.
    Local(LocalId),
    /// The object the method runs on: `*this`, `self`. Its fields are `self.f`, with no `Deref`.
    SelfObj,
    /// A name that no declaration of this function explains: a global, a field of the method's
    /// class (linking decides), an unknown name. As written, `::`-qualified.
    Global(Name),
    /// A variable of the enclosing function, seen from inside a lambda or closure.
    Captured(Name),
}

/// One step from a place to a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Proj {
    /// What a pointer or reference points to. `p->f` is `Deref, Field(f)`.
    Deref,
    /// A named field.
    Field(Name),
    /// An element; `Some` when the index is a literal.
    Index(Option<i64>),
}

/// A base and the steps from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Where the place begins.
    pub base: Base,
    /// Steps, outermost object first.
    pub proj: Vec<Proj>,
}

impl Place {
    /// A place with no steps.
    pub fn from_base(base: Base) -> Self {
        Self {
            base,
            proj: Vec::new(),
        }
    }

    /// This place with one step more.
    pub fn then(&self, step: Proj) -> Self {
        let mut proj = self.proj.clone();
        proj.push(step);
        Self {
            base: self.base.clone(),
            proj,
        }
    }
}

/// The interned places of one function. Equal places have equal ids.
#[derive(Debug, Clone, Default)]
pub struct PlaceTable {
    places: Vec<Place>,
    /// Nothing while the table is complete: tables of whole programs lie in memory, and few of
    /// them are added to again.
    ids: Option<FxHashMap<Place, PlaceId>>,
}

impl PlaceTable {
    /// The id of `place`, interned.
    pub fn intern(&mut self, place: Place) -> PlaceId {
        let known = || {
            let places = self.places.iter().cloned();
            places.zip((0u32..).map(PlaceId)).collect()
        };
        let ids = self.ids.get_or_insert_with(known);
        if let Some(&id) = ids.get(&place) {
            return id;
        }
        let id = PlaceId(u32::try_from(self.places.len()).unwrap_or(u32::MAX));
        ids.insert(place.clone(), id);
        self.places.push(place);
        id
    }

    /// Gives back the memory that only adding places needs.
    pub fn complete(&mut self) {
        self.ids = None;
        fit(&mut self.places);
        for place in &mut self.places {
            fit(&mut place.proj);
        }
    }

    /// The place with this id; none when the table has no such id.
    pub fn get(&self, id: PlaceId) -> Option<&Place> {
        self.places.get(id.0 as usize)
    }

    /// All places with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (PlaceId, &Place)> {
        (0u32..).map(PlaceId).zip(&self.places)
    }

    /// Rewrites every place in order, keeping ids; for the linker, which turns names into fields.
    /// Two places may become equal: their ids then stay distinct but name one thing.
    pub fn rewrite(&mut self, mut f: impl FnMut(&mut Place)) {
        for place in &mut self.places {
            f(place);
        }
        self.ids = None;
    }
}

impl std::ops::Index<PlaceId> for PlaceTable {
    type Output = Place;

    fn index(&self, id: PlaceId) -> &Place {
        &self.places[id.0 as usize]
    }
}

/// Moves a list to where it just fits. To shrink it in place would often leave it where it lies: an
/// allocator does not split a block for less than half of it.
pub fn fit<T>(list: &mut Vec<T>) {
    if list.capacity() > list.len() {
        let mut fitting = Vec::with_capacity(list.len());
        fitting.append(list);
        *list = fitting;
    }
}
