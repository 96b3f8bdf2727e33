//! stub
#[derive(Debug)] pub struct MacroRules;
pub struct Piece { pub start: u32, pub len: u32, pub from: Option<u32> }
pub struct Expansion { pub text: String, pub pieces: Vec<Piece> }
impl MacroRules { pub fn parse(_: &str) -> Option<Self> { None } pub fn expand(&self, _: &str) -> Option<Expansion> { None } pub fn mentions(&self, _: &str) -> bool { false } }
