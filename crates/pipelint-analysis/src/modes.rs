//! The modes of pipe ends, on the path and in the objects that keep them.

use pipelint_ir::Name;
use pipelint_models::FunctionModel;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::Findings;
use crate::exec::Exec;
use crate::io_classes::Kept;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// What is known of the mode of a pipe end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mode {
    /// It is read message by message.
    pub(crate) messages: bool,
    /// Reads and writes do not wait.
    pub(crate) nonblocking: bool,
}

/// What keeps a handle when the function is left.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Home {
    /// A field of objects of a class.
    Field(Kept),
    Global(Name),
}

/// What is known of the mode of a handle where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModeOf {
    Is(Mode),
    /// What is put there, other functions tell.
    KeptIn(Home),
    Unknown,
}

/// Modes by what keeps the handle; whether it was made so, or set later.
pub(crate) type KeptModes = FxHashSet<(Home, Mode, bool)>;

/// What all functions together tell of the modes of handles.
pub(crate) struct Modes(FxHashMap<Home, Vec<(Mode, bool)>>);

impl Modes {
    pub(crate) fn take(all: &mut [Findings]) -> Self {
        let mut modes: FxHashMap<Home, Vec<(Mode, bool)>> = FxHashMap::default();
        for (home, mode, set) in all.iter_mut().flat_map(|f| f.modes.drain()) {
            modes.entry(home).or_default().push((mode, set));
        }
        Self(modes)
    }

    /// What it was set to counts for more than how it was made.
    fn of(&self, home: &Home) -> Vec<Mode> {
        let known = self.0.get(home).map_or(&[][..], Vec::as_slice);
        let set = |wanted: bool| known.iter().filter(move |(_, set)| *set == wanted);
        let later: Vec<Mode> = set(true).map(|(mode, _)| *mode).collect();
        match later.is_empty() {
            true => set(false).map(|(mode, _)| *mode).collect(),
            false => later,
        }
    }

    /// Messages are read there, whoever put the handle there.
    pub(crate) fn reads_messages(&self, home: &Home) -> bool {
        let modes = self.of(home);
        !modes.is_empty() && modes.iter().all(|mode| mode.messages)
    }

    pub(crate) fn is_nonblocking(&self, home: &Home) -> bool {
        let modes = self.of(home);
        !modes.is_empty() && modes.iter().all(|mode| mode.nonblocking)
    }
}

impl Exec<'_, '_> {
    /// A call makes a pipe end in a mode, or sets its mode.
    pub(crate) fn note_mode(
        &mut self,
        state: &mut State,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let Some(sets) = &model.pipe_mode else { return };
        let Some(&flags) = args.get(sets.flags) else {
            return;
        };
        let handle = match sets.of {
            Some(n) => args.get(n).copied(),
            None => Some(result),
        };
        let Some(handle) = handle else { return };
        let flags = match self.arena.get(flags) {
            Val::Ptr(loc) if sets.by_pointer => state.env.get(*loc).copied(),
            // Null leaves the mode as it is.
            Val::Int(0) if sets.by_pointer => return,
            _ if sets.by_pointer => None,
            _ => Some(flags),
        };
        let bit = |name: &str| self.program.constant(self.unit, name);
        let known = flags
            .and_then(|v| self.arena.as_int(v))
            .zip(bit("PIPE_READMODE_MESSAGE"))
            .zip(bit("PIPE_NOWAIT"));
        let Some(((flags, messages), nonblocking)) = known else {
            state.modes.remove(handle);
            return;
        };
        let mode = Mode {
            messages: flags & messages != 0,
            nonblocking: flags & nonblocking != 0,
        };
        state.modes.insert(handle, mode);
        if let Some(home) = self.home_of(handle) {
            self.found.modes.insert((home, mode, sets.of.is_some()));
        }
    }

    /// The path ends: which modes the handles have that objects keep.
    pub(crate) fn note_kept_modes(&mut self, state: &State) {
        if state.modes.is_empty() {
            return;
        }
        self.note_modes_returned(state);
        for (v, mode) in state.modes.iter() {
            let at: Vec<LocId> = state
                .env
                .iter()
                .filter(|(_, held)| **held == v)
                .map(|(loc, _)| loc)
                .collect();
            for loc in at {
                if let Some(home) = self.home(loc) {
                    self.found.modes.insert((home, *mode, false));
                }
            }
        }
    }

    /// Rust: an object of its own type that a function returns.
    fn note_modes_returned(&mut self, state: &State) {
        let Some(class) = self.own_class().filter(|_| self.is_rust()) else {
            return;
        };
        for (field, v) in self.made(state) {
            if let Some(mode) = state.modes.get(v) {
                let home = Home::Field((class, field));
                self.found.modes.insert((home, *mode, false));
            }
        }
    }

    /// The mode of a handle where it is used.
    pub(crate) fn mode_of(&self, state: &State, handle: ValId) -> ModeOf {
        match state.modes.get(handle) {
            Some(mode) => ModeOf::Is(*mode),
            None => self.home_of(handle).map_or(ModeOf::Unknown, ModeOf::KeptIn),
        }
    }

    fn home_of(&self, handle: ValId) -> Option<Home> {
        match self.arena.get(handle) {
            Val::Sym(Sym::Load { loc, .. }) => self.home(*loc),
            _ => None,
        }
    }

    fn home(&self, loc: LocId) -> Option<Home> {
        match self.arena.get_loc(loc) {
            Loc::Global(name) => Some(Home::Global(name.clone())),
            Loc::Local(_) | Loc::Captured(_) | Loc::SelfObj => None,
            _ => self.kept_io(loc).map(Home::Field),
        }
    }
}
