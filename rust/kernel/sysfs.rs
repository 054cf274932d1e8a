// SPDX-License-Identifier: GPL-2.0

//! Text files in sysfs.
//!
//! They are binary attributes below, because those tell what a knob with a permission of its own
//! and with a text longer than a page needs to know: who opened the file, and at which offset a
//! write comes.
//!
//! Not here: `sysfs_notify()`, mmap, attribute groups.
//!
//! C header: [`include/linux/sysfs.h`](srctree/include/linux/sysfs.h)

use crate::kernel::bindings;
use core::{
    fmt,
    mem::MaybeUninit, //
};
use kernel::{
    container_of,
    error::from_result,
    fs::file::LocalFile,
    prelude::*, //
};

/// A kind of directory that [`File`]s are made for.
///
/// # Safety
///
/// Whatever creates a `File<Self>` in sysfs sees to it that [`Self::data`] finds the data.
pub(crate) unsafe trait Directory {
    /// What the files work on, in any number of tasks at a time.
    type Data: ?Sized + Sync;

    /// The data of the directory.
    ///
    /// # Safety
    ///
    /// `kobj` is the directory of a `File<Self>` which stays in sysfs for `'a`.
    unsafe fn data<'a>(kobj: *mut bindings::kobject) -> &'a Self::Data;
}

/// Writes what a file holds.
type Show<D> = fn(&<D as Directory>::Data, &mut Page<'_>) -> Result;

/// Takes what is written to a file.
type Store<D> = fn(&<D as Directory>::Data, &Write<'_>) -> Result;

/// A text file in directories of kind `D`.
pub(crate) struct File<D: Directory> {
    attr: bindings::bin_attribute,
    show: Show<D>,
    store: Option<Store<D>>,
}

// SAFETY: A `File` is only read: by sysfs, and by the functions below.
unsafe impl<D: Directory> Sync for File<D> {}

// SAFETY: There is nothing in it that belongs to a thread.
unsafe impl<D: Directory> Send for File<D> {}

impl<D: Directory + 'static> File<D> {
    /// A file that everybody can read.
    pub(crate) const fn read_only(name: &'static CStr, show: Show<D>) -> Self {
        Self::new(name, 0o444, show, None)
    }

    /// A file that root alone can read.
    pub(crate) const fn private(name: &'static CStr, show: Show<D>) -> Self {
        Self::new(name, 0o400, show, None)
    }

    /// A file that everybody can read and root can write.
    pub(crate) const fn writable(name: &'static CStr, show: Show<D>, store: Store<D>) -> Self {
        Self::new(name, 0o644, show, Some(store))
    }

    const fn new(name: &'static CStr, mode: u16, show: Show<D>, store: Option<Store<D>>) -> Self {
        // SAFETY: All fields are integers, raw pointers or `Option`s of function pointers, for
        // which zero is a value.
        let mut attr: bindings::bin_attribute = unsafe { core::mem::zeroed() };
        attr.attr.name = name.to_bytes_with_nul().as_ptr();
        attr.attr.mode = mode;
        attr.read = Some(Self::read);
        if store.is_some() {
            attr.write = Some(Self::write);
        }
        Self { attr, show, store }
    }

    /// The attribute, for creating the file. Only to be used for directories of kind `D`.
    pub(crate) const fn as_raw(&self) -> *const bindings::bin_attribute {
        &raw const self.attr
    }

    /// # Safety
    ///
    /// Called by sysfs, for the attribute of a `File<D>` in the directory `kobj`, which is one that
    /// `D` is for, with room for `count` bytes at `buf` that nobody else uses.
    unsafe extern "C" fn read(
        _file: *mut bindings::file,
        kobj: *mut bindings::kobject,
        attr: *const bindings::bin_attribute,
        buf: *mut c_char,
        offset: bindings::loff_t,
        count: usize,
    ) -> isize {
        // SAFETY: By the safety requirement `attr` is in a `File<D>`.
        let this = unsafe { &*container_of!(attr, File<D>, attr) };
        // SAFETY: By the safety requirement `D` is for the directory `kobj`, which sysfs keeps while it calls us.
        let data = unsafe { D::data(kobj) };
        // SAFETY: By the safety requirement there is room for `count` bytes at `buf`, and no other user of them.
        let buf = unsafe { core::slice::from_raw_parts_mut(buf.cast(), count) };

        from_result(|| {
            let mut page = Page::new(buf, offset.try_into()?);
            (this.show)(data, &mut page)?;
            Ok(page.filled as isize)
        })
    }

    /// # Safety
    ///
    /// Called by sysfs, for the attribute of a `File<D>` in the directory `kobj`, which is one that `D` is for, with
    /// the `count` bytes that were written at `buf`; `file` is open for the duration of the call.
    unsafe extern "C" fn write(
        file: *mut bindings::file,
        kobj: *mut bindings::kobject,
        attr: *const bindings::bin_attribute,
        buf: *mut c_char,
        offset: bindings::loff_t,
        count: usize,
    ) -> isize {
        // SAFETY: By the safety requirement `attr` is in a `File<D>`.
        let this = unsafe { &*container_of!(attr, File<D>, attr) };
        // SAFETY: By the safety requirement `D` is for the directory `kobj`, which sysfs keeps while it calls us.
        let data = unsafe { D::data(kobj) };
        // SAFETY: By the safety requirement there are `count` bytes at `buf`, which nobody writes to during the call.
        let text = unsafe { core::slice::from_raw_parts(buf.cast::<u8>(), count) };
        // SAFETY: By the safety requirement `file` is open during the call. An `fdget_pos()` that took no lock is
        // that of the system call that we are in, on this thread.
        let file = unsafe { LocalFile::from_raw_file(file) };

        from_result(|| {
            let store = this.store.ok_or(EIO)?;
            store(data, &Write { text, offset, file })?;
            Ok(count as isize)
        })
    }
}

/// One write(2), or the first 4096 bytes of one (`kernfs_fop_write_iter()`).
pub(crate) struct Write<'a> {
    text: &'a [u8],
    offset: bindings::loff_t,
    file: &'a LocalFile,
}

impl<'a> Write<'a> {
    /// What was written.
    pub(crate) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Whether this may be a piece of a longer text: it does not start at the beginning, or it
    /// fills the buffer.
    pub(crate) fn may_be_a_piece(&self) -> bool {
        self.offset != 0 || self.text.len() >= kernel::page::PAGE_SIZE
    }

    /// The open file that was written to.
    pub(crate) fn file(&self) -> &'a LocalFile {
        self.file
    }
}

/// The window of a file's text that a reader asked for: what comes before is skipped, what comes
/// behind is cut off.
pub(crate) struct Page<'a> {
    buf: &'a mut [MaybeUninit<u8>],
    skip: usize,
    filled: usize,
}

impl<'a> Page<'a> {
    fn new(buf: &'a mut [MaybeUninit<u8>], offset: usize) -> Self {
        Self {
            buf,
            skip: offset,
            filled: 0,
        }
    }

    /// Whether nothing more fits, so that a writer may stop early.
    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.buf.len()
    }
}

impl fmt::Write for Page<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let bytes = s.as_bytes();
        let skipped = bytes.len().min(self.skip);
        self.skip -= skipped;
        let rest = bytes.get(skipped..).unwrap_or_default();
        let room = self.buf.get_mut(self.filled..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(rest) {
            to.write(*from);
        }
        self.filled += room.len().min(rest.len());
        Ok(())
    }
}

#[kunit_tests(sgio_filter_sysfs)]
mod tests {
    use super::*;
    use core::fmt::Write as _;

    /// The bytes at `offset` of a text of three pieces, as read with a buffer of 4 bytes.
    fn window(offset: usize) -> ([u8; 4], usize) {
        let mut buf = [MaybeUninit::new(0); 4];
        let mut page = Page::new(&mut buf, offset);
        for piece in ["ab", "", "cdefg"] {
            let _ = page.write_str(piece);
        }
        let filled = page.filled;
        // SAFETY: All bytes were initialised above.
        (buf.map(|byte| unsafe { byte.assume_init() }), filled)
    }

    #[test]
    fn shows_the_window_that_is_asked_for() {
        assert_eq!(window(0), (*b"abcd", 4));
        assert_eq!(window(1), (*b"bcde", 4));
        assert_eq!(window(3), (*b"defg", 4));
        assert_eq!(window(5), (*b"fg\0\0", 2));
        assert_eq!(window(7), ([0; 4], 0));
        assert_eq!(window(4096), ([0; 4], 0));
    }
}
