//! The grammar's node kinds and fields as numbers, looked up once.

use std::num::NonZeroU16;
use std::sync::LazyLock;

use tree_sitter::{Language, Node};

/// The grammar.
pub(crate) static GRAMMAR: LazyLock<Language> = LazyLock::new(|| tree_sitter_cpp::LANGUAGE.into());

macro_rules! kinds {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// A named node kind that the lowering tells apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum K {
            /// An unnamed token, or a kind the lowering has no words for.
            Other,
            /// A node the parser could not place.
            Error,
            $($variant,)*
        }

        fn kind_by_name(name: &str) -> K {
            match name {
                $($name => K::$variant,)*
                _ => K::Other,
            }
        }
    };
}

kinds! {
    AbstractArray = "abstract_array_declarator",
    AbstractFunction = "abstract_function_declarator",
    AbstractParen = "abstract_parenthesized_declarator",
    AbstractPointer = "abstract_pointer_declarator",
    AbstractReference = "abstract_reference_declarator",
    AccessSpecifier = "access_specifier",
    AliasDeclaration = "alias_declaration",
    AlignasQualifier = "alignas_qualifier",
    AlignofExpression = "alignof_expression",
    ArgumentList = "argument_list",
    ArrayDeclarator = "array_declarator",
    AssignmentExpression = "assignment_expression",
    AttributeDeclaration = "attribute_declaration",
    AttributeSpecifier = "attribute_specifier",
    AttributedDeclarator = "attributed_declarator",
    AttributedStatement = "attributed_statement",
    Auto = "auto",
    BaseClassClause = "base_class_clause",
    BinaryExpression = "binary_expression",
    BitfieldClause = "bitfield_clause",
    BreakStatement = "break_statement",
    CallExpression = "call_expression",
    CaseStatement = "case_statement",
    CastExpression = "cast_expression",
    CatchClause = "catch_clause",
    CharLiteral = "char_literal",
    ClassSpecifier = "class_specifier",
    CoAwaitExpression = "co_await_expression",
    CoReturnStatement = "co_return_statement",
    CoYieldStatement = "co_yield_statement",
    CommaExpression = "comma_expression",
    Comment = "comment",
    CompoundLiteral = "compound_literal_expression",
    CompoundStatement = "compound_statement",
    ConcatenatedString = "concatenated_string",
    ConceptDefinition = "concept_definition",
    ConditionClause = "condition_clause",
    ConditionalExpression = "conditional_expression",
    ContinueStatement = "continue_statement",
    Declaration = "declaration",
    DeclarationList = "declaration_list",
    Decltype = "decltype",
    DefaultMethodClause = "default_method_clause",
    DeleteExpression = "delete_expression",
    DeleteMethodClause = "delete_method_clause",
    DependentName = "dependent_name",
    DependentType = "dependent_type",
    DestructorName = "destructor_name",
    DoStatement = "do_statement",
    ElseClause = "else_clause",
    EnumSpecifier = "enum_specifier",
    Enumerator = "enumerator",
    EnumeratorList = "enumerator_list",
    ExplicitFunctionSpecifier = "explicit_function_specifier",
    ExpressionStatement = "expression_statement",
    ExtensionExpression = "extension_expression",
    False = "false",
    FieldDeclaration = "field_declaration",
    FieldDeclarationList = "field_declaration_list",
    FieldDesignator = "field_designator",
    FieldExpression = "field_expression",
    FieldIdentifier = "field_identifier",
    FieldInitializer = "field_initializer",
    FieldInitializerList = "field_initializer_list",
    FoldExpression = "fold_expression",
    ForRangeLoop = "for_range_loop",
    ForStatement = "for_statement",
    FriendDeclaration = "friend_declaration",
    FunctionDeclarator = "function_declarator",
    FunctionDefinition = "function_definition",
    GenericExpression = "generic_expression",
    GnuAsm = "gnu_asm_expression",
    GotoStatement = "goto_statement",
    Identifier = "identifier",
    IfStatement = "if_statement",
    InitDeclarator = "init_declarator",
    InitStatement = "init_statement",
    InitializerList = "initializer_list",
    InitializerPair = "initializer_pair",
    LabeledStatement = "labeled_statement",
    LambdaCaptureInitializer = "lambda_capture_initializer",
    LambdaCaptureSpecifier = "lambda_capture_specifier",
    LambdaDefaultCapture = "lambda_default_capture",
    LambdaExpression = "lambda_expression",
    LinkageSpecification = "linkage_specification",
    LiteralSuffix = "literal_suffix",
    MsBasedModifier = "ms_based_modifier",
    MsCallModifier = "ms_call_modifier",
    MsDeclspec = "ms_declspec_modifier",
    MsPointerModifier = "ms_pointer_modifier",
    NamespaceAlias = "namespace_alias_definition",
    NamespaceDefinition = "namespace_definition",
    NamespaceIdentifier = "namespace_identifier",
    NestedNamespaceSpecifier = "nested_namespace_specifier",
    NewDeclarator = "new_declarator",
    NewExpression = "new_expression",
    Noexcept = "noexcept",
    Null = "null",
    NumberLiteral = "number_literal",
    OffsetofExpression = "offsetof_expression",
    OperatorCast = "operator_cast",
    OperatorName = "operator_name",
    OptionalParameter = "optional_parameter_declaration",
    ParameterDeclaration = "parameter_declaration",
    ParameterList = "parameter_list",
    PackExpansion = "parameter_pack_expansion",
    ParenthesizedDeclarator = "parenthesized_declarator",
    ParenthesizedExpression = "parenthesized_expression",
    PlaceholderType = "placeholder_type_specifier",
    PointerDeclarator = "pointer_declarator",
    PointerExpression = "pointer_expression",
    PointerTypeDeclarator = "pointer_type_declarator",
    PreprocCall = "preproc_call",
    PreprocDef = "preproc_def",
    PreprocElif = "preproc_elif",
    PreprocElifdef = "preproc_elifdef",
    PreprocElse = "preproc_else",
    PreprocFunctionDef = "preproc_function_def",
    PreprocIf = "preproc_if",
    PreprocIfdef = "preproc_ifdef",
    PreprocInclude = "preproc_include",
    PrimitiveType = "primitive_type",
    PureVirtualClause = "pure_virtual_clause",
    QualifiedIdentifier = "qualified_identifier",
    RawStringLiteral = "raw_string_literal",
    ReferenceDeclarator = "reference_declarator",
    RefQualifier = "ref_qualifier",
    RequiresClause = "requires_clause",
    RequiresExpression = "requires_expression",
    ReturnStatement = "return_statement",
    SehExcept = "seh_except_clause",
    SehFinally = "seh_finally_clause",
    SehLeave = "seh_leave_statement",
    SehTry = "seh_try_statement",
    SizedType = "sized_type_specifier",
    SizeofExpression = "sizeof_expression",
    StatementIdentifier = "statement_identifier",
    StaticAssert = "static_assert_declaration",
    StorageClass = "storage_class_specifier",
    StringContent = "string_content",
    StringLiteral = "string_literal",
    StructSpecifier = "struct_specifier",
    StructuredBinding = "structured_binding_declarator",
    SubscriptArguments = "subscript_argument_list",
    SubscriptDesignator = "subscript_designator",
    SubscriptExpression = "subscript_expression",
    SubscriptRange = "subscript_range_designator",
    SwitchStatement = "switch_statement",
    TemplateArguments = "template_argument_list",
    TemplateDeclaration = "template_declaration",
    TemplateFunction = "template_function",
    TemplateInstantiation = "template_instantiation",
    TemplateMethod = "template_method",
    TemplateParameterList = "template_parameter_list",
    TemplateType = "template_type",
    This = "this",
    ThrowSpecifier = "throw_specifier",
    ThrowStatement = "throw_statement",
    TrailingReturnType = "trailing_return_type",
    True = "true",
    TryStatement = "try_statement",
    TypeDefinition = "type_definition",
    TypeDescriptor = "type_descriptor",
    TypeIdentifier = "type_identifier",
    TypeQualifier = "type_qualifier",
    UnaryExpression = "unary_expression",
    UnionSpecifier = "union_specifier",
    UpdateExpression = "update_expression",
    UserDefinedLiteral = "user_defined_literal",
    UsingDeclaration = "using_declaration",
    VariadicDeclarator = "variadic_declarator",
    VariadicParameter = "variadic_parameter_declaration",
    VirtualSpecifier = "virtual_specifier",
    WhileStatement = "while_statement",
}

/// The number that every ERROR node has, in any grammar.
const ERROR: u16 = u16::MAX;

/// Per kind number: the kind, and whether nodes of it are named.
static KINDS: LazyLock<Vec<(K, bool)>> = LazyLock::new(|| {
    let count = u16::try_from(GRAMMAR.node_kind_count()).unwrap_or(u16::MAX);
    (0..count)
        .map(|id| {
            if !GRAMMAR.node_kind_is_named(id) {
                return (K::Other, false);
            }
            let kind = GRAMMAR.node_kind_for_id(id).map_or(K::Other, kind_by_name);
            (kind, true)
        })
        .collect()
});

/// The kind of a node.
pub(crate) fn kind(node: Node<'_>) -> K {
    kind_and_named(node).0
}

/// The kind of a node, and whether it is a named one. Each question to the tree is a call out of
/// the language: this asks once.
pub(crate) fn kind_and_named(node: Node<'_>) -> (K, bool) {
    match node.kind_id() {
        ERROR => (K::Error, true),
        id => match KINDS.get(usize::from(id)) {
            Some(known) => *known,
            None => (K::Other, node.is_named()),
        },
    }
}

macro_rules! fields {
    ($($field:ident = $name:literal),* $(,)?) => {
        /// The grammar's fields.
        #[allow(missing_docs)]
        pub(crate) struct Fields {
            $(pub(crate) $field: Option<NonZeroU16>,)*
        }

        /// Field numbers; a field the grammar does not have is none, and no node has it.
        pub(crate) static F: LazyLock<Fields> = LazyLock::new(|| Fields {
            $($field: GRAMMAR.field_id_for_name($name),)*
        });
    };
}

fields! {
    alternative = "alternative",
    argument = "argument",
    arguments = "arguments",
    body = "body",
    captures = "captures",
    condition = "condition",
    consequence = "consequence",
    declarator = "declarator",
    default_value = "default_value",
    designator = "designator",
    field = "field",
    filter = "filter",
    function = "function",
    indices = "indices",
    initializer = "initializer",
    label = "label",
    left = "left",
    length = "length",
    name = "name",
    operator = "operator",
    parameters = "parameters",
    placement = "placement",
    right = "right",
    scope = "scope",
    size = "size",
    ty = "type",
    update = "update",
    value = "value",
}

/// The child of `node` in a field.
pub(crate) fn field<'t>(node: Node<'t>, field: Option<NonZeroU16>) -> Option<Node<'t>> {
    node.child_by_field_id(field?.get())
}
