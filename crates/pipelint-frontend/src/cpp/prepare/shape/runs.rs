//! Names side by side: a type and a name are as many as C++ allows.

use super::super::lexer::Kind;
use super::super::words::{looks_like_attribute, word};
use super::{Place, Walker};

/// Tokens that one run of names is followed over.
const RUN_REACH: usize = 32;
/// Tokens that one list of template arguments may have.
const ANGLE_REACH: usize = 64;

/// A name with its qualifiers and template arguments, or a type of keywords.
#[derive(Debug, Clone, Copy)]
struct Unit {
    first: usize,
    last: usize,
    /// A single name in capitals that is not known to be a type.
    suspect: bool,
    /// In capitals.
    caps: bool,
}

/// Names side by side, at most eight.
pub(super) struct Run {
    units: Vec<Unit>,
    /// The token after the run.
    pub(super) end: usize,
}

impl Run {
    /// A type and a name, or a type before `*`.
    pub(super) fn declares(&self, follow: Option<Kind>) -> bool {
        self.units.len() >= 2
            || self.units.len() == 1
                && matches!(follow, Some(Kind::Star | Kind::Amp | Kind::Operator))
    }

    pub(super) fn len(&self) -> usize {
        self.units.len()
    }
}

impl Walker<'_> {
    /// The run of names that begins at `at`.
    pub(super) fn run(&self, at: usize) -> Run {
        let mut units: Vec<Unit> = Vec::new();
        let mut end = at;
        let mut builtin = false;
        while end < at + RUN_REACH && units.len() < 8 {
            let first = end;
            if self.dead.get(end) == Some(&true) {
                end += 1;
                continue;
            }
            match self.kind(end) {
                // Storage comes before the type: what follows is another declaration.
                Some(Kind::Spec) if !units.is_empty() && self.is_storage(end) => break,
                Some(Kind::Spec) => {
                    end += 1;
                    continue;
                }
                Some(Kind::Builtin) => {
                    end += 1;
                    if self.kind(end) == Some(Kind::LParen)
                        && matches!(
                            self.word(first),
                            "decltype" | "__typeof__" | "typeof" | "__typeof"
                        )
                    {
                        end = self.mate(end).map_or(end, |close| close + 1);
                    }
                    if !builtin {
                        units.push(Unit {
                            first,
                            last: end - 1,
                            suspect: false,
                            caps: false,
                        });
                    }
                    builtin = true;
                    continue;
                }
                Some(Kind::Class | Kind::Enum)
                    if matches!(
                        self.kind(end + 1),
                        Some(Kind::Ident | Kind::Caps | Kind::CapsType)
                    ) =>
                {
                    end = self.name_end(end + 1);
                    units.push(Unit {
                        first,
                        last: end - 1,
                        suspect: false,
                        caps: false,
                    });
                }
                Some(Kind::Scope)
                    if matches!(
                        self.kind(end + 1),
                        Some(Kind::Ident | Kind::Caps | Kind::CapsType)
                    ) =>
                {
                    end = self.name_end(end + 1);
                    units.push(Unit {
                        first,
                        last: end - 1,
                        suspect: false,
                        caps: false,
                    });
                }
                Some(kind @ (Kind::Ident | Kind::Caps | Kind::CapsType)) => {
                    end = self.name_end(end);
                    let single = end == first + 1;
                    units.push(Unit {
                        first,
                        last: end - 1,
                        suspect: single && kind == Kind::Caps,
                        caps: single && kind != Kind::Ident,
                    });
                }
                _ => break,
            }
            builtin = false;
        }
        Run { units, end }
    }

    /// A word that begins a declaration.
    pub(super) fn is_storage(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Spec)
            && !matches!(
                self.word(at),
                "const" | "volatile" | "restrict" | "mutable" | "typename"
            )
    }

    /// Past a name with its qualifiers and template arguments.
    pub(super) fn name_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        for _ in 0..RUN_REACH {
            if self.kind(end) == Some(Kind::Scope)
                && matches!(
                    self.kind(end + 1),
                    Some(Kind::Ident | Kind::Caps | Kind::CapsType | Kind::Builtin)
                )
            {
                end += 2;
            } else if self.kind(end) == Some(Kind::Lt)
                && let Some(past) = self.angle_end(end)
            {
                let follows = matches!(
                    self.kind(past),
                    Some(
                        Kind::Scope
                            | Kind::Ident
                            | Kind::Caps
                            | Kind::CapsType
                            | Kind::Star
                            | Kind::Amp
                            | Kind::Spec
                            | Kind::LBrace
                            | Kind::Colon
                            | Kind::Semi
                            | Kind::After
                    )
                );
                if !follows {
                    return end;
                }
                end = past;
            } else {
                return end;
            }
        }
        end
    }

    /// Past the `>` of the `<` at `at`, if this can be a list of template arguments.
    fn angle_end(&self, at: usize) -> Option<usize> {
        let mut open = 0u32;
        let mut inner = at;
        for _ in 0..ANGLE_REACH {
            match self.kind(inner)? {
                Kind::Lt => open += 1,
                Kind::Gt => {
                    open -= 1;
                    if open == 0 {
                        return Some(inner + 1);
                    }
                }
                Kind::LParen | Kind::LBrack => inner = self.mate(inner)?,
                Kind::Semi
                | Kind::LBrace
                | Kind::RBrace
                | Kind::RParen
                | Kind::RBrack
                | Kind::Eq
                | Kind::Str
                | Kind::Jump
                | Kind::Ctrl => return None,
                _ => {}
            }
            inner += 1;
        }
        None
    }

    /// Rules for a name anywhere; returns where to go on if it was handled.
    pub(super) fn name(&mut self, at: usize) -> Option<usize> {
        if let Some(next) = self.type_argument(at) {
            return Some(next);
        }
        let kind = self.kind(at);
        if kind == Some(Kind::Spec) {
            // `f(typename T::X(v))`
            let inside = matches!(
                self.last_kind(),
                Some(Kind::LParen | Kind::Comma | Kind::Eq | Kind::Jump)
            );
            if inside && self.word(at) == "typename" && self.frame().is_expression() {
                self.blank(at, at);
                return Some(at + 1);
            }
            return None;
        }
        if kind == Some(Kind::Ident)
            && self.word(at) == "ref"
            && (self.word(at + 1) == "new" || self.kind(at + 1) == Some(Kind::Class))
        {
            self.blank(at, at);
            return Some(at + 1);
        }
        if let Some(next) = self.element_macro(at) {
            return Some(next);
        }
        if let Some(next) = self.second_name(at) {
            return Some(next);
        }
        if let Some(next) = self.string_part(at) {
            return Some(next);
        }
        if let Some(next) = self.after_parameters(at) {
            return Some(next);
        }
        if let Some(next) = self.type_macro(at) {
            return Some(next);
        }
        // `char name[8] ATTRIBUTE;`
        if kind == Some(Kind::Caps)
            && self.last_kind() == Some(Kind::RBrack)
            && matches!(self.kind(at + 1), Some(Kind::Semi | Kind::Eq | Kind::Comma))
            && self
                .last
                .and_then(|last| self.mate(last))
                .and_then(|open| open.checked_sub(1))
                .is_some_and(|name| {
                    matches!(
                        self.kind(name),
                        Some(Kind::Ident | Kind::Caps | Kind::RBrack)
                    )
                })
        {
            self.blank(at, at);
            return Some(at + 1);
        }
        let follows_name = matches!(
            self.last_kind(),
            Some(
                Kind::Ident
                    | Kind::Caps
                    | Kind::CapsType
                    | Kind::Builtin
                    | Kind::Scope
                    | Kind::Dot
                    | Kind::Arrow
                    | Kind::Class
                    | Kind::Enum
                    | Kind::Namespace
            )
        ) && self
            .last
            .is_some_and(|last| self.frame().first != Some(at) || last + 1 < at);
        if follows_name && self.frame().first != Some(at) {
            return None;
        }
        self.thin_run(at);
        // The first of the run may have been blanked.
        if self.dead[at] {
            return Some(at + 1);
        }
        None
    }

    /// Blanks names in capitals until a type and a name are left.
    fn thin_run(&mut self, at: usize) {
        let mut run = self.run(at);
        if run.units.len() < 2 && !matches!(self.kind(run.end), Some(Kind::LParen | Kind::Operator))
        {
            return;
        }
        let frame = self.frame();
        let declarator = match self.last_kind() {
            Some(Kind::Star | Kind::Amp) => true,
            Some(Kind::Spec) => self
                .last
                .and_then(|last| last.checked_sub(1))
                .is_some_and(|before| matches!(self.kind(before), Some(Kind::Star | Kind::Amp))),
            _ => false,
        } && frame.first != Some(at);
        let follow = self.kind(run.end);
        if frame.place == Place::Enum {
            self.thin_enumerator(&run);
            return;
        }
        // `MACRO operator int()`: a conversion has no type before it.
        let converts = follow == Some(Kind::Operator)
            && matches!(
                self.kind(run.end + 1),
                Some(Kind::Ident | Kind::Caps | Kind::CapsType | Kind::Builtin | Kind::Spec)
            );
        if converts {
            for unit in &run.units {
                if unit.suspect {
                    self.blank(unit.first, unit.last);
                }
            }
            return;
        }
        let created = self.last.is_some_and(|last| self.word(last) == "new");
        let mut allowed = if declarator || created { 1 } else { 2 };
        if matches!(
            follow,
            Some(Kind::Star | Kind::Amp | Kind::Dot | Kind::Arrow | Kind::Operator)
        ) {
            allowed = 1;
        }
        while run.units.len() > allowed {
            let whole = created
                || allowed == 1
                    && matches!(
                        follow,
                        Some(Kind::Star | Kind::Amp | Kind::Operator | Kind::Dot | Kind::Arrow)
                    );
            let Some(victim) = self.victim(&run.units, follow, allowed, whole) else {
                return;
            };
            let unit = run.units.remove(victim);
            self.blank(unit.first, unit.last);
        }
        // `int x ATTRIBUTE(a);`
        if let Some(Kind::LParen) = follow
            && run.units.len() == 2
            && !frame.seen_eq
            && !frame.is_expression()
        {
            self.trailing_call(&run);
        }
    }

    /// `NAME ATTRIBUTE(x) = 1,` in an enumeration.
    fn thin_enumerator(&mut self, run: &Run) {
        for unit in run.units.iter().skip(1) {
            self.blank(unit.first, unit.last);
        }
        if run.units.len() > 1
            && self.kind(run.end) == Some(Kind::LParen)
            && let Some(close) = self.mate(run.end)
        {
            self.blank(run.end, close);
        }
    }

    /// Which of the names to blank; `whole`: the last one may be no name but a type.
    fn victim(
        &self,
        units: &[Unit],
        follow: Option<Kind>,
        allowed: usize,
        whole: bool,
    ) -> Option<usize> {
        let last = units.len() - 1;
        let suspect = |at: usize| units[at].suspect;
        // `int argc UNUSED`: after a name in small letters comes an attribute.
        let closes = matches!(
            follow,
            Some(Kind::Semi | Kind::Eq | Kind::Comma | Kind::RParen | Kind::LBrace | Kind::LBrack)
                | None
        );
        if suspect(last)
            && closes
            && last > 0
            && !units[last - 1].caps
            && (last > 1 || allowed == 1)
        {
            return Some(last);
        }
        // Before `*` or `&` the last one must be a type; elsewhere it is the name.
        let end = if whole { last + 1 } else { last };
        let known = (0..end).find(|&at| !suspect(at));
        if known.is_some()
            && let Some(victim) = (0..end).find(|&at| suspect(at))
        {
            return Some(victim);
        }
        let attribute = (0..end).find(|&at| looks_like_attribute(self.word(units[at].first)));
        let any = (0..end).find(|&at| suspect(at));
        // A name that only looks like a type.
        let odd =
            || (1..end).find(|&at| units[at].caps && word(self.word(units[at].first)).is_none());
        attribute.or(any).or_else(odd)
    }

    /// `TYPE name ATTRIBUTE(x);`: the call after the name is blanked.
    fn trailing_call(&mut self, run: &Run) {
        let [.., before, last] = run.units.as_slice() else {
            return;
        };
        if !last.suspect || before.caps || self.kind(before.first) != Some(Kind::Ident) {
            return;
        }
        let Some(close) = self.mate(run.end) else {
            return;
        };
        let ends = matches!(self.kind(close + 1), Some(Kind::Semi | Kind::Eq));
        // `Type NAME(int);` declares a function; an attribute looks like one.
        if ends && looks_like_guard(self.word(last.first)) {
            self.blank(last.first, close);
        }
    }

    /// `{ LIST` and on the next line `{ 1, 2 }, … }`: a macro that stands for elements.
    fn element_macro(&mut self, at: usize) -> Option<usize> {
        let begins = matches!(self.last_kind(), Some(Kind::LBrace | Kind::Comma));
        let another = matches!(
            self.kind(at + 1),
            Some(Kind::LBrace | Kind::LBrack | Kind::Dot | Kind::Caps)
        );
        let element = self.kind(at) == Some(Kind::Caps)
            && self.frame().place == Place::Init
            && begins
            && another
            && self.breaks(at, at + 1);
        if !element {
            return None;
        }
        self.blank(at, at);
        Some(at + 1)
    }

    /// Whether the last name of a run is a constructor's, written outside its class.
    pub(super) fn ends_in_constructor(&self, run: &Run) -> bool {
        let Some(unit) = run.units.last() else {
            return false;
        };
        if unit.last < unit.first + 2 || self.kind(unit.last - 1) != Some(Kind::Scope) {
            return false;
        }
        let name = self.word(unit.last);
        match self.kind(unit.last - 2) {
            Some(Kind::Gt) => self.word(unit.first) == name,
            _ => self.word(unit.last - 2) == name,
        }
    }

    /// `static LIST(x) name;`, `f(const LIST(x) *p)`: a macro's call as a type.
    fn type_macro(&mut self, at: usize) -> Option<usize> {
        let frame = self.frame();
        if self.kind(at) != Some(Kind::Caps) || self.kind(at + 1) != Some(Kind::LParen) {
            return None;
        }
        let parameter = frame.place == Place::Paren
            && !frame.expr
            && !frame.control
            && matches!(
                self.last_kind(),
                Some(Kind::LParen | Kind::Comma | Kind::Spec)
            );
        let declared =
            frame.holds_statements() && !frame.seen_eq && self.last_kind() == Some(Kind::Spec);
        if !parameter && !declared {
            return None;
        }
        let close = self.mate(at + 1)?;
        let named = |kind: Option<Kind>| matches!(kind, Some(Kind::Ident | Kind::Caps));
        let mut name = close + 1;
        while matches!(self.kind(name), Some(Kind::Star | Kind::Spec)) && name < close + 6 {
            name += 1;
        }
        if !named(self.kind(name)) {
            return None;
        }
        // `static INLINE(x) type name` has a type of its own.
        if named(self.kind(name + 1)) || self.kind(name + 1) == Some(Kind::Scope) {
            return None;
        }
        self.keep_type(at, close)
    }

    /// In an argument or initialiser two names do not stand side by side: the second is a macro.
    fn second_name(&mut self, at: usize) -> Option<usize> {
        let frame = self.frame();
        if !matches!(self.kind(at)?, Kind::Ident | Kind::Caps) {
            return None;
        }
        let inside = frame.place == Place::Init
            || frame.place == Place::Paren && frame.expr && !frame.control;
        let assigned = frame.holds_statements() && (frame.seen_eq || frame.seen_jump);
        if !inside && !assigned {
            return None;
        }
        let last = self.last?;
        let named =
            |kind: Option<Kind>| matches!(kind, Some(Kind::Ident | Kind::Caps | Kind::CapsType));
        let after = match self.kind(last)? {
            // `f(MACRO x)`: the macro stands for an argument and its comma.
            Kind::Caps if inside && self.kind(at) == Some(Kind::Ident) => {
                let before = self.before(last);
                self.blank(last, last);
                self.last = before;
                return None;
            }
            Kind::Ident | Kind::Caps => true,
            Kind::RParen => {
                let callee = self.mate(last)?.checked_sub(1)?;
                named(self.kind(callee)) && self.kind(at + 1) == Some(Kind::LParen)
            }
            _ => false,
        };
        if !after {
            return None;
        }
        let upto = match self.kind(at + 1)? {
            Kind::LParen => self.mate(at + 1)?,
            Kind::Comma | Kind::RParen | Kind::RBrace | Kind::Str | Kind::Semi | Kind::Eq => at,
            Kind::Dot | Kind::Arrow if self.kind(at) == Some(Kind::Caps) => at,
            kind if named(Some(kind)) => at,
            _ => return None,
        };
        self.blank(at, upto);
        Some(upto + 1)
    }

    /// `f(…) ATTRIBUTE {`: between parameters and body, or before the end.
    fn after_parameters(&mut self, at: usize) -> Option<usize> {
        let suspect = |walker: &Self, at: usize| {
            walker.kind(at) == Some(Kind::Caps)
                || walker.kind(at) == Some(Kind::Ident)
                    && matches!(walker.word(at), "sealed" | "abstract")
        };
        if !suspect(self, at) {
            return None;
        }
        let last = self.last?;
        let frame = self.frame();
        let lambda = !frame.holds_declarations();
        match self.kind(last)? {
            Kind::RParen => {
                let open = self.mate(last)?;
                let before = open.checked_sub(1).and_then(|before| self.kind(before));
                if lambda && before != Some(Kind::RBrack) {
                    return None;
                }
            }
            Kind::After | Kind::Spec if frame.seen_paren && !lambda => {}
            _ => return None,
        }
        if !lambda && (frame.seen_eq || !frame.seen_paren) {
            return None;
        }
        let mut end = at;
        for _ in 0..12 {
            match self.kind(end)? {
                Kind::Spec | Kind::After | Kind::Caps => {
                    end += 1;
                    if self.kind(end) == Some(Kind::LParen) {
                        end = self.mate(end)? + 1;
                    }
                }
                Kind::Ident if suspect(self, end) => end += 1,
                Kind::LBrace | Kind::Arrow | Kind::Try => break,
                Kind::Semi | Kind::Eq | Kind::Colon if !lambda => break,
                _ => return None,
            }
        }
        let mut inner = at;
        while inner < end {
            let past = match self.kind(inner + 1) {
                Some(Kind::LParen) => self.mate(inner + 1)?,
                _ => inner,
            };
            if suspect(self, inner) {
                self.blank(inner, past);
            }
            inner = past + 1;
        }
        Some(at + 1)
    }
}

/// Attributes that take arguments and follow a name.
pub(super) fn looks_like_guard(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "GUARDED",
        "ATTR",
        "ALIGN",
        "DEPRECATED",
        "REQUIRES",
        "UNUSED",
        "SECTION",
        "INIT",
        "PRINTF",
        "FORMAT",
    ];
    PARTS.iter().any(|part| name.contains(part))
}
