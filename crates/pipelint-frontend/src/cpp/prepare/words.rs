//! The words that are known by name: C++ keywords, calling conventions, annotations, and the
//! macros of the Windows SDK, Qt, WIL and MFC that stand where the grammar has no place for them.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::lexer::Kind;

/// What is done with a word wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Kept.
    None,
    /// Blanked where a declaration can hold it: a calling convention.
    Convention,
    /// Blanked, with a group in parentheses if one follows.
    Blank,
    /// Blanked with the group that must follow.
    BlankCall,
    /// Blanked, and the place is noted: the function does not return.
    NoReturn,
    /// Blanked, kept as a SAL fact, with its group.
    Sal,
    /// Blanked and kept as a SAL fact; it takes no group.
    SalAlone,
    /// The same, but the word is so plain that it counts only before a name or `*`.
    SalPlain,
    /// Another word is written in its place.
    Become(&'static str),
    /// The same, where a declaration begins; elsewhere a plain name.
    Keyword(&'static str),
    /// `X(type)` is `type`.
    Unwrap,
    /// `X(name)` is `HRESULT name`, `X(type, name)` is `type name`.
    Method,
    /// `X("id") name` is `struct name`.
    Struct,
    /// `X(name)`, `X(name, base)` is `struct name`.
    Interface,
    /// A loop with no end: `for(;;)`.
    Forever,
    /// A loop over a container: `X(declaration, container)`.
    Foreach,
    /// Assembly in the Microsoft manner.
    Asm,
    /// A keyword of C++ that is a plain name in C: its first letter is raised.
    CppOnly,
    /// `= 0`.
    Pure,
}

/// A known word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) kind: Kind,
    pub(crate) action: Action,
}

/// The word's entry, if it is known by name.
pub(crate) fn word(name: &str) -> Option<Word> {
    static TABLE: OnceLock<FxHashMap<&'static str, Word>> = OnceLock::new();
    TABLE.get_or_init(table).get(name).copied()
}

/// `_In_reads_bytes_`: SAL's second notation, by its shape.
pub(crate) fn is_sal(name: &str) -> bool {
    let bytes = name.as_bytes();
    matches!(bytes, [b'_', b'A'..=b'Z', .., b'_']) && bytes.iter().any(u8::is_ascii_lowercase)
        || is_first_sal(name)
}

/// `__in_ecount`: SAL's first notation.
fn is_first_sal(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("__") else {
        return false;
    };
    const HEADS: &[&str] = &[
        "in_",
        "out_",
        "inout_",
        "deref_",
        "field_",
        "struct_bcount",
        "struct_xcount",
        "drv_",
        "kernel_",
        "range",
        "success",
        "reserved",
        "checkReturn",
        "override_",
        "callback",
        "format_string",
        "nullterminated",
        "nullnullterminated",
        "typefix",
        "control_entrypoint",
        "data_entrypoint",
        "maybenull",
        "notnull",
        "exceptthat",
        "elem_",
        "byte_",
        "post_",
        "pre_",
        "encoded_",
        "xcount",
        "bcount",
        "ecount",
    ];
    HEADS.iter().any(|head| rest.starts_with(head)) && !rest.ends_with("__")
}

/// True for an attribute that says a function does not return: `LIB_NORETURN`.
pub(crate) fn says_noreturn(name: &str) -> bool {
    name.contains("NORETURN") || name.contains("NO_RETURN") || name.contains("noreturn")
}

/// True for a name of a type, by the habits of Windows headers.
pub(crate) fn looks_like_type(name: &str) -> bool {
    // `LPFOO`, `PFOO_BAR`: a pointer to a structure. `…PROC`: a callback.
    name.starts_with("LP") && name.len() > 4
        || name.ends_with("_PTR")
        || name.ends_with("PROC")
        || name.ends_with("_T") && name.len() > 3
        || name.ends_with("_HANDLE")
        || name.ends_with("_INFO")
        || name.ends_with("_CALLBACK")
        || name.ends_with("STATUS")
}

/// True for a name of an attribute or calling convention, by the habits of libraries.
pub(crate) fn looks_like_attribute(name: &str) -> bool {
    const TAILS: &[&str] = &[
        "API",
        "CALL",
        "_CC",
        "DECL",
        "EXPORT",
        "EXTERN",
        "INLINE",
        "PUBLIC",
        "IMPORT",
        "_DLL",
        "NORETURN",
        "UNUSED",
        "DEPRECATED",
        "NOEXCEPT",
        "VISIBLE",
        "LINKAGE",
        "HIDDEN",
        "PRIVATE",
        "ATTR",
        "CONV",
        "_ENTRY",
    ];
    TAILS.iter().any(|tail| name.ends_with(tail))
}

fn table() -> FxHashMap<&'static str, Word> {
    let mut table = FxHashMap::default();
    let mut add = |kind: Kind, action: Action, words: &'static str| {
        for name in words.split_ascii_whitespace() {
            table.insert(name, Word { kind, action });
        }
    };
    keywords(&mut add);
    types(&mut add);
    blanked(&mut add);
    replaced(&mut add);
    table
}

type Add<'a> = dyn FnMut(Kind, Action, &'static str) + 'a;

fn keywords(add: &mut Add<'_>) {
    let none = Action::None;
    add(Kind::Class, none, "struct union");
    add(Kind::Enum, none, "enum");
    add(
        Kind::Builtin,
        none,
        "int char short long float double void bool signed unsigned auto wchar_t char8_t char16_t \
         char32_t _Bool __int8 __int16 __int32 __int64 __int128 decltype typeof \
         __m128 __m128i __m256i _Complex size_t ssize_t ptrdiff_t intptr_t uintptr_t \
         int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t nullptr_t",
    );
    add(
        Kind::Spec,
        none,
        "static inline const volatile register constexpr consteval constinit thread_local \
         _Thread_local __thread typedef restrict",
    );
    add(Kind::Extern, none, "extern");
    add(Kind::Ctrl, none, "if while for switch __except");
    add(Kind::Else, none, "else do __finally");
    add(Kind::Try, none, "__try");
    add(Kind::Jump, none, "return goto break continue __leave");
    add(Kind::Case, none, "case default");
    add(Kind::After, none, "noexcept");
    add(
        Kind::Expr,
        none,
        "sizeof alignof _Alignof __alignof __alignof__ static_cast reinterpret_cast \
         const_cast dynamic_cast static_assert _Static_assert alignas _Alignas _Generic \
         offsetof __builtin_offsetof __uuidof safe_cast",
    );
    // Words of C++ alone.
    let cpp = Action::CppOnly;
    add(Kind::Class, cpp, "class");
    add(Kind::Namespace, cpp, "namespace");
    add(Kind::Template, cpp, "template export");
    add(Kind::Try, cpp, "try");
    add(Kind::Ctrl, cpp, "catch");
    add(Kind::Jump, cpp, "throw co_return co_yield");
    add(Kind::Access, cpp, "public private protected");
    add(Kind::Using, cpp, "using");
    add(Kind::Operator, cpp, "operator");
    add(
        Kind::Expr,
        cpp,
        "new delete this typeid co_await requires concept",
    );
    add(Kind::Spec, cpp, "friend virtual explicit mutable typename");
    add(Kind::After, cpp, "override final");
    add(
        Kind::Other,
        cpp,
        "and or not xor bitand bitor compl and_eq or_eq xor_eq not_eq",
    );
}

fn types(add: &mut Add<'_>) {
    add(
        Kind::CapsType,
        Action::None,
        "HANDLE HRESULT BOOL BOOLEAN BYTE CHAR WCHAR TCHAR DWORD DWORD32 DWORD64 DWORDLONG FLOAT \
         DOUBLE INT INT8 INT16 INT32 INT64 UINT UINT8 UINT16 UINT32 UINT64 LONG LONG32 LONG64 \
         LONGLONG ULONG ULONG32 ULONG64 ULONGLONG SHORT USHORT WORD QWORD VOID PVOID LPVOID \
         LPCVOID PBYTE PCHAR PWCHAR PWSTR PCWSTR PSTR PCSTR LPSTR LPCSTR LPWSTR LPCWSTR LPTSTR \
         LPCTSTR PTSTR PCTSTR BSTR PDWORD LPDWORD PBOOL LPBOOL PLONG LPLONG PULONG PUINT PINT \
         LPINT PUSHORT PSHORT PWORD LPWORD PHANDLE LPHANDLE LPBYTE HWND HMODULE HINSTANCE HKEY \
         PHKEY HDC HICON HMENU HFONT HBRUSH HBITMAP HCURSOR HHOOK HGLOBAL HLOCAL HRGN HPEN HDESK \
         HWINSTA HRSRC HMONITOR HDEVINFO HINTERNET HCRYPTPROV HCRYPTKEY HCRYPTHASH HPCON HGDIOBJ \
         SOCKET SIZE_T SSIZE_T PSIZE_T INT_PTR UINT_PTR LONG_PTR ULONG_PTR DWORD_PTR HALF_PTR \
         WPARAM LPARAM LRESULT ATOM COLORREF COORD RECT POINT SIZE MSG FILETIME SYSTEMTIME \
         LARGE_INTEGER ULARGE_INTEGER PLARGE_INTEGER OVERLAPPED LPOVERLAPPED WSAOVERLAPPED \
         CRITICAL_SECTION SRWLOCK CONDITION_VARIABLE NTSTATUS PNTSTATUS SECURITY_ATTRIBUTES \
         LPSECURITY_ATTRIBUTES SECURITY_DESCRIPTOR PSECURITY_DESCRIPTOR PSID SID ACL PACL LUID \
         GUID CLSID IID REFIID REFCLSID REFGUID IUNKNOWN FARPROC WNDPROC DLGPROC LSTATUS \
         UNICODE_STRING PUNICODE_STRING ANSI_STRING OBJECT_ATTRIBUTES IO_STATUS_BLOCK \
         PIO_STATUS_BLOCK ACCESS_MASK SERVICE_STATUS SERVICE_STATUS_HANDLE SC_HANDLE \
         PROCESS_INFORMATION STARTUPINFO STARTUPINFOW STARTUPINFOEX STARTUPINFOEXW WSADATA \
         WSABUF LPWSABUF GROUP SOCKADDR PSOCKADDR SOCKADDR_IN SOCKADDR_IN6 SOCKADDR_STORAGE \
         INPUT_RECORD CHAR_INFO SMALL_RECT CONSOLE_SCREEN_BUFFER_INFO TP_WAIT PTP_WAIT \
         PTP_CALLBACK_INSTANCE TP_WAIT_RESULT PTP_WORK PTP_TIMER PTP_IO VARIANT PROPVARIANT \
         FILE DIR UCHAR PUCHAR LCID LANGID POSITION STDAPI SCODE DISPID OLECHAR LPOLESTR \
         HCONV CLIPFORMAT PCONSOLE_API_MSG",
    );
}

fn blanked(add: &mut Add<'_>) {
    add(
        Kind::Ident,
        Action::Convention,
        "WINAPI WINAPIV APIENTRY APIPRIVATE CALLBACK NTAPI PASCAL WSAAPI WSPAPI CDECL STDCALL \
         FASTCALL STDMETHODCALLTYPE STDMETHODVCALLTYPE STDAPICALLTYPE STDAPIVCALLTYPE FAR NEAR \
         _cdecl __cdecl _stdcall __stdcall _fastcall __fastcall __thiscall __vectorcall __clrcall \
         __pascal __far __near _far _near SEC_ENTRY RPC_ENTRY __RPC_STUB __RPC_USER __RPC_FAR \
         __RPC_API EXPENTRY JNICALL GLAPIENTRY GL_APIENTRY AFXAPI AFX_MSG_CALL NTAPI_INLINE \
         CRYPTFUNC LWSTDAPICALLTYPE",
    );
    add(
        Kind::Ident,
        Action::Blank,
        "__restrict __restrict__ __unaligned UNALIGNED __ptr32 __ptr64 __sptr __uptr POINTER_32 \
         POINTER_64 __w64 RESTRICTED_POINTER __inline __inline__ __forceinline FORCEINLINE \
         CFORCEINLINE __extension__ __signed__ DECLSPEC_IMPORT DECLSPEC_EXPORT DECLSPEC_NOINLINE \
         DECLSPEC_SELECTANY DECLSPEC_NOVTABLE DECLSPEC_DEPRECATED DECLSPEC_CACHEALIGN \
         DECLSPEC_RESTRICT WINBASEAPI WINUSERAPI WINADVAPI WINGDIAPI WINSOCK_API_LINKAGE \
         WINCRYPT32API NTSYSAPI NTSYSCALLAPI NTKERNELAPI NTHALAPI WINSPOOLAPI WINHTTPAPI \
         AFX_EXT_CLASS ATL_NO_VTABLE _CRTIMP _ACRTIMP RPCRTAPI THIS_ afx_msg \
         EXTERN_C_START EXTERN_C_END __BEGIN_DECLS __END_DECLS BEGIN_EXTERN_C END_EXTERN_C \
         QT_BEGIN_NAMESPACE QT_END_NAMESPACE QT_USE_NAMESPACE QT_BEGIN_HEADER QT_END_HEADER \
         QT_BEGIN_INCLUDE_NAMESPACE QT_END_INCLUDE_NAMESPACE Q_DECL_OVERRIDE Q_DECL_FINAL \
         Q_DECL_NOTHROW Q_DECL_NOEXCEPT Q_DECL_CONSTEXPR Q_DECL_RELAXED_CONSTEXPR Q_DECL_EXPORT \
         Q_DECL_IMPORT Q_DECL_HIDDEN Q_DECL_UNUSED Q_DECL_CONST_FUNCTION Q_DECL_PURE_FUNCTION \
         Q_DECL_EQ_DEFAULT_X Q_INVOKABLE Q_SCRIPTABLE Q_SIGNAL Q_SLOT Q_ALWAYS_INLINE \
         Q_NEVER_INLINE Q_INLINE_TEMPLATE Q_OUTOFLINE_TEMPLATE Q_REQUIRED_RESULT Q_WEAK_OVERLOAD \
         Q_NODISCARD_CTOR Q_IMPLICIT QT_FASTCALL QT_ASCII_CAST_WARN QT_DEPRECATED \
         Q_OBJECT Q_GADGET Q_NAMESPACE QT_WARNING_PUSH QT_WARNING_POP Q_DISABLE_MOVE_X \
         Q_CONSTINIT END_CATCH END_CATCH_ALL",
    );
    add(
        Kind::Ident,
        Action::BlankCall,
        "__declspec _declspec __attribute__ __attribute __pragma _Pragma DECLSPEC_UUID \
         DECLSPEC_ALIGN DECLSPEC_ALLOCATOR Q_DECL_DEPRECATED_X QT_DEPRECATED_X \
         QT_DEPRECATED_VERSION_X QT_DEPRECATED_VERSION Q_DECL_NOEXCEPT_EXPR Q_REVISION \
         QT_WARNING_DISABLE_GCC QT_WARNING_DISABLE_CLANG QT_WARNING_DISABLE_MSVC \
         QT_WARNING_DISABLE_INTEL Q_ATTRIBUTE_FORMAT_PRINTF",
    );
    add(
        Kind::Ident,
        Action::NoReturn,
        "_Noreturn DECLSPEC_NORETURN Q_NORETURN",
    );
    add(
        Kind::Ident,
        Action::SalAlone,
        "_In_ _In_opt_ _In_z_ _In_opt_z_ _Out_ _Out_opt_ _Inout_ _Inout_opt_ _Inout_z_ \
         _Inout_opt_z_ _Outptr_ _Outptr_opt_ _Outptr_result_maybenull_ _Outptr_result_z_ \
         _COM_Outptr_ _COM_Outptr_opt_ _COM_Outptr_result_maybenull_ _Reserved_ _Pre_valid_ \
         _Pre_opt_valid_ _Post_invalid_ _Post_valid_ _Ret_maybenull_ _Ret_notnull_ _Ret_z_ \
         _Must_inspect_result_ _Check_return_ _Use_decl_annotations_ _Printf_format_string_ \
         _Maybenull_ _Notnull_ _Frees_ptr_ _Frees_ptr_opt_ _Null_terminated_ _Const_ \
         _Analysis_noreturn_ _Outref_ _Ret_valid_ _Raises_SEH_exception_ \
         __in __out __inout __in_opt __out_opt __inout_opt __deref_out __deref_out_opt \
         __deref_opt_out __deref_inout __in_z __out_z __reserved __checkReturn __notnull \
         __maybenull __callback __nullterminated __fallthrough __override __nothrow",
    );
    add(Kind::Ident, Action::SalPlain, "IN OUT INOUT OPTIONAL");
}

fn replaced(add: &mut Add<'_>) {
    add(
        Kind::Spec,
        Action::Become("const"),
        "CONST __const __const__",
    );
    add(
        Kind::Spec,
        Action::Become("volatile"),
        "VOLATILE __volatile__",
    );
    add(Kind::Builtin, Action::Become("void"), "VOID");
    add(Kind::Extern, Action::Become("extern"), "EXTERN_C");
    add(
        Kind::CapsType,
        Action::Become("HRESULT"),
        "STDMETHODIMP IFACEMETHODIMP",
    );
    add(
        Kind::Ident,
        Action::Unwrap,
        "STDMETHODIMP_ IFACEMETHODIMP_ STDAPI_ STDMETHODIMPV_ NTSYSAPI_",
    );
    add(
        Kind::Ident,
        Action::Method,
        "STDMETHOD STDMETHOD_ IFACEMETHOD IFACEMETHOD_ STDMETHODV STDMETHODV_",
    );
    add(Kind::Class, Action::Struct, "MIDL_INTERFACE");
    add(
        Kind::Class,
        Action::Interface,
        "DECLARE_INTERFACE DECLARE_INTERFACE_ DECLARE_INTERFACE_IID DECLARE_INTERFACE_IID_",
    );
    add(Kind::Ctrl, Action::Forever, "forever Q_FOREVER");
    add(
        Kind::Ctrl,
        Action::Foreach,
        "foreach Q_FOREACH BOOST_FOREACH",
    );
    add(Kind::Ident, Action::Asm, "__asm _asm");
    add(Kind::Ident, Action::Pure, "PURE");
    add(
        Kind::Builtin,
        Action::Become("decltype"),
        "__typeof__ __typeof",
    );
    add(
        Kind::Try,
        Action::Become("__try"),
        "RpcTryExcept RpcTryFinally",
    );
    add(Kind::Ctrl, Action::Become("__except"), "RpcExcept");
    add(Kind::Else, Action::Become("__finally"), "RpcFinally");
    add(Kind::Ident, Action::Blank, "RpcEndExcept RpcEndFinally");
    add(Kind::Class, Action::Keyword("struct"), "interface");
    add(Kind::Try, Action::Become("try"), "QT_TRY");
    add(Kind::Ctrl, Action::Become("catch"), "QT_CATCH");
    add(Kind::Jump, Action::Become("throw"), "QT_RETHROW");
}
