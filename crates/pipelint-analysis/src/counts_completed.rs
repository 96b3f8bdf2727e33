//! Counts of overlapped transfers, which a later call tells, and what starts them.

use pipelint_ir::Name;
use pipelint_models::{FunctionModel, IoKind};

use crate::counts::{Counted, Needs};
use crate::exec::Exec;
use crate::modes::ModeOf;
use crate::state::State;
use crate::values::ValId;

impl Exec<'_, '_> {
    /// A question how an overlapped transfer went.
    pub(crate) fn note_completed_count(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let (Some(completes), Some(success)) = (&model.completes, model.success) else {
            return;
        };
        let count = completes.count.and_then(|n| args.get(n));
        let Some(count) = count.and_then(|v| self.own_count(state, *v)) else {
            return;
        };
        let Some(&v) = args.get(completes.overlapped) else {
            return;
        };
        let Some(at) = self.overlapped(state, v) else {
            return;
        };
        let pending = state.pending.get(at);
        let started = pending.and_then(|p| p.started.as_ref());
        let starter = started.and_then(|(name, _)| self.program.models.function(name));
        let does = starter.and_then(|model| Some(model.io.as_ref()?.does));
        let mut needs = Needs::default();
        let length = self.io_lengths.get(&at).copied();
        let mut buffer = None;
        let reads = match does {
            Some(IoKind::Write) => false,
            Some(IoKind::Read) if length.and_then(|v| self.arena.as_int(v)) != Some(1) => {
                buffer = pending.and_then(|p| p.buffers.first()).copied();
                buffer = buffer.filter(|loc| self.was_nothing(*loc));
                if buffer.is_none() {
                    return;
                }
                true
            }
            Some(_) => return,
            None => {
                let Some(kept) = self.kept_io(at) else { return };
                needs.writes = Some(kept);
                false
            }
        };
        let mut whole = false;
        if let (false, Some(&handle)) = (reads, completes.handle.and_then(|n| args.get(n))) {
            // A pipe that waits takes all of it, or the operation fails.
            match self.mode_of(state, handle) {
                ModeOf::Is(mode) if mode.nonblocking => {}
                ModeOf::KeptIn(home) => needs.nonblocking = Some(home),
                ModeOf::Is(_) | ModeOf::Unknown => whole = true,
            }
        }
        let counted = Counted {
            reads,
            length: length.filter(|v| self.arena.as_int(*v).is_none()),
            buffer,
            whole,
            needs,
            ..Counted::new(api.clone(), self.span, result, success)
        };
        state.counts.insert(count, counted);
    }

    pub(crate) fn note_kept_start(&mut self, state: &State, model: &FunctionModel, args: &[ValId]) {
        let Some(start) = model.start() else { return };
        let Some(&v) = args.get(start.overlapped) else {
            return;
        };
        let Some(at) = self.overlapped(state, v) else {
            return;
        };
        let length = model.io.as_ref().and_then(|io| args.get(io.length?));
        if let Some(&length) = length {
            self.io_lengths.insert(at, length);
        }
        if let Some(kept) = self.kept_io(at) {
            let does = model.io.as_ref().map(|io| io.does);
            self.found.counts.started.push((kept, does));
        }
    }
}
