/* SPDX-License-Identifier: MIT */
/*
 * Files for the UEFI start: the volume that parvis.efi came from, its own folder there, then the
 * root.
 *
 * Names come from parvis.cfg (checked there: no folders) and are ASCII; the firmware wants 16-bit
 * characters. A file is read into pages of its own, which the memory map marks as the loader's
 * until the domains are built.
 */
#include "efi.h"

#define MAX_PATH 256

static EFI_FILE_HANDLE root;
static CHAR16 own_folder[MAX_PATH]; /* ends with a backslash */

/* The path of parvis.efi is spread over the nodes of a device path; the folder is what comes before
 * the last backslash. */
static void find_own_folder(EFI_DEVICE_PATH *node)
{
    UINTN n = 0, folder = 1;

    own_folder[n++] = L'\\';
    for (; !IsDevicePathEnd(node); node = NextDevicePathNode(node)) {
        const CHAR16 *name = ((FILEPATH_DEVICE_PATH *)node)->PathName;

        if (DevicePathType(node) != MEDIA_DEVICE_PATH ||
            DevicePathSubType(node) != MEDIA_FILEPATH_DP)
            continue;
        if (n > 1)
            own_folder[n++] = L'\\';
        for (UINTN i = name[0] == L'\\'; name[i] && n < MAX_PATH - 2; i++) {
            own_folder[n++] = name[i];
            if (name[i] == L'\\')
                folder = n;
        }
    }
    own_folder[folder] = 0;
}

EFI_STATUS efi_open_volume(EFI_HANDLE image)
{
    EFI_LOADED_IMAGE *loaded;
    EFI_FILE_IO_INTERFACE *volume;
    EFI_STATUS status =
        uefi_call_wrapper(BS->HandleProtocol, 3, image, &LoadedImageProtocol, (void **)&loaded);

    if (!EFI_ERROR(status)) {
        find_own_folder(loaded->FilePath);
        status = uefi_call_wrapper(BS->HandleProtocol, 3, loaded->DeviceHandle, &FileSystemProtocol,
                                   (void **)&volume);
    }
    if (!EFI_ERROR(status))
        status = uefi_call_wrapper(volume->OpenVolume, 2, volume, &root);
    if (EFI_ERROR(status))
        Print(L"parvis: the volume that parvis.efi came from cannot be opened: %r\n", status);
    return status;
}

static void make_path(CHAR16 *to, const CHAR16 *folder, const char *name)
{
    UINTN n = 0;

    while (*folder && n < MAX_PATH - 1)
        to[n++] = *folder++;
    while (*name && n < MAX_PATH - 1)
        to[n++] = (CHAR16)(unsigned char)*name++;
    to[n] = 0;
}

static EFI_STATUS read_all(EFI_FILE_HANDLE file, UINT64 at, UINT64 size)
{
    for (UINT64 done = 0; done < size;) {
        UINTN n = size - done < (16u << 20) ? (UINTN)(size - done) : 16u << 20;
        EFI_STATUS status = uefi_call_wrapper(file->Read, 3, file, &n, (void *)(at + done));

        if (EFI_ERROR(status))
            return status;
        if (!n)
            return EFI_END_OF_FILE;
        done += n;
    }
    return EFI_SUCCESS;
}

static EFI_STATUS read_file(const CHAR16 *path, UINT64 *start, UINT64 *size)
{
    EFI_FILE_HANDLE file;
    EFI_FILE_INFO *info;
    EFI_STATUS status =
        uefi_call_wrapper(root->Open, 5, root, &file, (CHAR16 *)path, EFI_FILE_MODE_READ, 0);

    if (EFI_ERROR(status))
        return status;
    info = LibFileInfo(file);
    *size = info ? info->FileSize : 0;
    if (info)
        FreePool(info);
    status = efi_alloc_low(EFI_SIZE_TO_PAGES(*size) + 1, start);
    if (!EFI_ERROR(status))
        status = read_all(file, *start, *size);
    uefi_call_wrapper(file->Close, 1, file);
    return status;
}

EFI_STATUS efi_load_file(const char *name, UINT64 *start, UINT64 *size)
{
    static const CHAR16 top[] = L"\\";
    const CHAR16 *folders[] = {own_folder, top};
    CHAR16 path[MAX_PATH];
    EFI_STATUS status = EFI_NOT_FOUND;

    for (UINTN i = 0; i < 2; i++) {
        make_path(path, folders[i], name);
        status = read_file(path, start, size);
        if (!EFI_ERROR(status)) {
            Print(L"parvis: %s: %ld bytes\n", path, *size);
            return status;
        }
        if (status != EFI_NOT_FOUND) {
            Print(L"parvis: %s cannot be read: %r\n", path, status);
            return status;
        }
    }
    Print(L"parvis: %a is missing; looked in %s and in \\ of the volume that parvis.efi is on\n",
          name, own_folder);
    return status;
}

void efi_command_line(EFI_HANDLE image, char *to, UINTN size)
{
    EFI_LOADED_IMAGE *loaded;
    const CHAR16 *options;
    UINTN n = 0, length;

    if (EFI_ERROR(uefi_call_wrapper(BS->HandleProtocol, 3, image, &LoadedImageProtocol,
                                    (void **)&loaded)))
        return;
    options = loaded->LoadOptions;
    length = options ? loaded->LoadOptionsSize / sizeof(*options) : 0;
    for (UINTN i = 0; i < length && options[i] && n < size - 1; i++) {
        /* Some firmware puts binary data there: then there are no options. */
        if (options[i] < L' ' || options[i] > L'~') {
            n = 0;
            break;
        }
        to[n++] = (char)options[i];
    }
    to[n] = 0;
}
