//! The text form read back: a unit.

use pipelint_source::{FileId, Span};

use crate::lex::{Cursor, TextError, Token};
use crate::parse::{Lines, constant, function, kind, reason, ty};
use crate::words::is_bare_constant;
use crate::{
    Class, Const, Constant, Declaration, Entry, Field, Gap, Global, Include, Language, Macro, Name,
    Pragma, Unit,
};

/// Reads a unit in the form that [`print_unit`](crate::print_unit) writes. Empty lines and lines that
/// begin with `//` are skipped. All spans are empty, and the file is the first.
///
/// # Errors
///
/// Names the line and what was expected there.
pub fn parse_unit(text: &str) -> Result<Unit, TextError> {
    let mut lines = Lines::new(text);
    let Some(mut line) = lines.next() else {
        return Err(lines.ended("`unit c`, `unit cpp` or `unit rust`"));
    };
    line.word("unit")?;
    let language = if line.takes_word("c") {
        Language::C
    } else if line.takes_word("cpp") {
        Language::Cpp
    } else {
        line.word("rust")?;
        Language::Rust
    };
    line.end()?;
    let mut unit = Unit {
        file: FileId(0),
        language,
        functions: Vec::new(),
        declarations: Vec::new(),
        classes: Vec::new(),
        globals: Vec::new(),
        constants: Vec::new(),
        macros: Vec::new(),
        aliases: Vec::new(),
        includes: Vec::new(),
        sees: Vec::new(),
        pragmas: Vec::new(),
        gaps: Vec::new(),
    };
    while let Some(line) = lines.next() {
        item(&mut unit, line, &mut lines)?;
    }
    Ok(unit)
}

fn item(unit: &mut Unit, mut line: Cursor<'_>, lines: &mut Lines<'_>) -> Result<(), TextError> {
    let start = line.clone();
    let span = Span::default();
    if line.takes_word("include") {
        let quoted = !line.takes_word("system");
        let path = text(&mut line)?.into();
        unit.includes.push(Include { path, quoted, span });
    } else if line.takes_word("macro") {
        let name = line.name("a macro's name")?.into();
        line.mark("(")?;
        let params = line.list(")", |line| line.name("a parameter's name").map(Name::from))?;
        let body = text(&mut line)?;
        unit.macros.push(Macro {
            name,
            params,
            body,
            span,
        });
    } else if line.takes_word("const") {
        let name = line.name("a constant's name")?.into();
        line.mark("=")?;
        let value = value(&mut line)?;
        unit.constants.push(Constant { name, value, span });
    } else if line.takes_word("alias") {
        let name = line.name("a type's name")?.into();
        line.mark("=")?;
        unit.aliases.push((name, ty(&mut line)?));
    } else if line.takes_word("class") {
        unit.classes.push(class(&mut line, lines, false)?);
    } else if line.takes_word("union") {
        unit.classes.push(class(&mut line, lines, true)?);
    } else if line.takes_word("declare") {
        unit.declarations.push(declaration(&mut line)?);
    } else if line.takes_word("pragma") {
        let text = text(&mut line)?;
        unit.pragmas.push(Pragma { text, span });
    } else if line.takes_word("gap") {
        let reason = reason(&mut line)?;
        unit.gaps.push(Gap { span, reason });
    } else if let Some(global) = global(&mut line)? {
        unit.globals.push(global);
    } else {
        unit.functions.push(function(start, lines)?);
        return Ok(());
    }
    line.end()
}

fn global(line: &mut Cursor<'_>) -> Result<Option<Global>, TextError> {
    let internal = line.takes_word("internal");
    let is_extern = line.takes_word("extern");
    if !line.takes_word("global") {
        return Ok(None);
    }
    let name = line.name("a variable's name")?.into();
    line.mark(":")?;
    let ty = ty(line)?;
    let filled = line.takes("=");
    let table = if filled && line.takes("{") {
        line.list("}", entry)?
    } else {
        Vec::new()
    };
    let init = (filled && table.is_empty())
        .then(|| value(line))
        .transpose()?;
    Ok(Some(Global {
        name,
        ty,
        internal,
        is_extern,
        init,
        table,
        span: Span::default(),
    }))
}

fn entry(line: &mut Cursor<'_>) -> Result<Entry, TextError> {
    let field = line
        .takes(".")
        .then(|| line.name("a field's name").map(Name::from))
        .transpose()?;
    if line.takes_word("_") {
        return Ok(Entry { field, name: None });
    }
    let name = Some(line.name("a name")?.into());
    Ok(Entry { field, name })
}

fn text(line: &mut Cursor<'_>) -> Result<String, TextError> {
    let before = line.clone();
    match line.next()? {
        Token::Str(text) => Ok(text),
        _ => Err(before.wrong("a text in quotes")),
    }
}

fn value(line: &mut Cursor<'_>) -> Result<Const, TextError> {
    let before = line.clone();
    if let Some(value) = constant(line)? {
        return Ok(value);
    }
    match line.next()? {
        Token::Word(name) if is_bare_constant(&name) => Ok(Const::Named(name.into())),
        _ => Err(before.wrong("a constant")),
    }
}

fn class(line: &mut Cursor<'_>, lines: &mut Lines<'_>, is_union: bool) -> Result<Class, TextError> {
    let span = Span::default();
    let mut class = Class {
        name: line.name("a class's name")?.into(),
        bases: Vec::new(),
        fields: Vec::new(),
        methods: Vec::new(),
        asserted: Vec::new(),
        is_union,
        span,
    };
    if line.takes(":") {
        class.bases = line.list("{", |line| line.name("a class's name").map(Name::from))?;
    } else {
        line.mark("{")?;
    }
    line.end()?;
    loop {
        let Some(mut line) = lines.next() else {
            return Err(lines.ended("`field`, `asserts`, `declare` or `}`"));
        };
        if line.takes("}") {
            return line.end().map(|()| class);
        }
        if line.takes_word("declare") {
            class.methods.push(declaration(&mut line)?);
        } else if line.takes_word("asserts") {
            let name = line.name("a trait's name")?.into();
            class.asserted.push((name, span));
        } else {
            let is_private = line.takes_word("private");
            let is_static = line.takes_word("static");
            if !line.takes_word("field") {
                return Err(line.wrong("`field`, `static field`, `asserts`, `declare` or `}`"));
            }
            let name = line.name("a field's name")?.into();
            line.mark(":")?;
            let ty = ty(&mut line)?;
            let has_init = line.takes("=");
            if has_init {
                line.word("_")?;
            }
            class.fields.push(Field {
                name,
                ty,
                is_static,
                has_init,
                is_private,
                span,
            });
        }
        line.end()?;
    }
}

fn declaration(line: &mut Cursor<'_>) -> Result<Declaration, TextError> {
    let Some(kind) = kind(line) else {
        return Err(line.wrong("a function: `fn`, `method`, `constructor`, …"));
    };
    let name = line.name("a function's name")?.into();
    line.mark("(")?;
    let params = line.list(")", ty)?;
    line.mark("->")?;
    Ok(Declaration {
        name,
        kind,
        params,
        ret: ty(line)?,
        noreturn: line.takes_word("noreturn"),
        is_virtual: line.takes_word("virtual"),
        deleted: line.takes_word("deleted"),
        defaulted: line.takes_word("defaulted"),
        is_private: line.takes_word("private"),
        is_signal: line.takes_word("signal"),
        span: Span::default(),
    })
}
