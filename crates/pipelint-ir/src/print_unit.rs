//! A unit as text: what it declares, then its functions.

use std::fmt::{self, Write};

use crate::print::{ReasonText, kind};
use crate::words::{ConstText, NameText, StrText, TypeText};
use crate::{Class, Declaration, Language, Unit, print_function};

/// A unit: its includes, macros, constants, aliases, classes, declarations, globals, comments to the
/// linter and gaps, then its functions as [`print_function`] shows them.
pub fn print_unit(unit: &Unit) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = declarations(&mut out, unit);
    for function in &unit.functions {
        out.push('\n');
        out.push_str(&print_function(function));
    }
    out
}

/// The word for a language.
pub(crate) fn language(language: Language) -> &'static str {
    match language {
        Language::C => "c",
        Language::Cpp => "cpp",
        Language::Rust => "rust",
    }
}

fn declarations(out: &mut String, unit: &Unit) -> fmt::Result {
    let nothing_taken = |_: &str| false;
    writeln!(out, "unit {}", language(unit.language))?;
    for include in &unit.includes {
        let word = if include.quoted { "" } else { "system " };
        writeln!(out, "include {word}{}", StrText(&include.path))?;
    }
    for item in &unit.macros {
        write!(out, "macro {}(", NameText(&item.name))?;
        for (i, param) in item.params.iter().enumerate() {
            write!(out, "{}{}", if i == 0 { "" } else { ", " }, NameText(param))?;
        }
        writeln!(out, ") {}", StrText(&item.body))?;
    }
    for constant in &unit.constants {
        writeln!(
            out,
            "const {} = {}",
            NameText(&constant.name),
            ConstText(&constant.value, &nothing_taken)
        )?;
    }
    for (name, ty) in &unit.aliases {
        writeln!(out, "alias {} = {}", NameText(name), TypeText(ty))?;
    }
    for item in &unit.classes {
        class(out, item)?;
    }
    for item in &unit.declarations {
        declaration(out, item)?;
    }
    for global in &unit.globals {
        let internal = if global.internal { "internal " } else { "" };
        let external = if global.is_extern { "extern " } else { "" };
        write!(
            out,
            "{internal}{external}global {}: {}",
            NameText(&global.name),
            TypeText(&global.ty)
        )?;
        if let Some(init) = &global.init {
            write!(out, " = {}", ConstText(init, &nothing_taken))?;
        }
        for (i, entry) in global.table.iter().enumerate() {
            out.push_str(if i == 0 { " = { " } else { ", " });
            if let Some(field) = &entry.field {
                write!(out, ".{} ", NameText(field))?;
            }
            match &entry.name {
                Some(name) => write!(out, "{}", NameText(name))?,
                None => out.push('_'),
            }
        }
        if !global.table.is_empty() {
            out.push_str(" }");
        }
        out.push('\n');
    }
    for pragma in &unit.pragmas {
        writeln!(out, "pragma {}", StrText(&pragma.text))?;
    }
    for gap in &unit.gaps {
        writeln!(out, "gap {}", ReasonText(&gap.reason))?;
    }
    Ok(())
}

fn class(out: &mut String, class: &Class) -> fmt::Result {
    let word = if class.is_union { "union" } else { "class" };
    write!(out, "{word} {}", NameText(&class.name))?;
    for (i, base) in class.bases.iter().enumerate() {
        write!(
            out,
            "{} {}",
            if i == 0 { " :" } else { "," },
            NameText(base)
        )?;
    }
    out.push_str(" {\n");
    for field in &class.fields {
        let private = if field.is_private { "private " } else { "" };
        let word = if field.is_static { "static " } else { "" };
        let init = if field.has_init { " = _" } else { "" };
        writeln!(
            out,
            "  {private}{word}field {}: {}{init}",
            NameText(&field.name),
            TypeText(&field.ty)
        )?;
    }
    for (name, _) in &class.asserted {
        writeln!(out, "  asserts {}", NameText(name))?;
    }
    for method in &class.methods {
        out.push_str("  ");
        declaration(out, method)?;
    }
    out.push_str("}\n");
    Ok(())
}

fn declaration(out: &mut String, item: &Declaration) -> fmt::Result {
    write!(out, "declare {} {}(", kind(item.kind), NameText(&item.name))?;
    for (i, param) in item.params.iter().enumerate() {
        write!(out, "{}{}", if i == 0 { "" } else { ", " }, TypeText(param))?;
    }
    write!(out, ") -> {}", TypeText(&item.ret))?;
    let words = [
        (item.noreturn, " noreturn"),
        (item.is_virtual, " virtual"),
        (item.deleted, " deleted"),
        (item.defaulted, " defaulted"),
        (item.is_private, " private"),
        (item.is_signal, " signal"),
    ];
    for (is, word) in words {
        if is {
            out.push_str(word);
        }
    }
    out.push('\n');
    Ok(())
}
