#include <windows.h>

#include <string>

std::wstring describe(HANDLE handle);
std::string narrow(const std::wstring &text);
void note_text(const char *text);
void wait_for_visitors();
