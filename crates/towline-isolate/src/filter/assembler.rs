//! Classic BPF, as seccomp runs it (`seccomp(2)`), with blocks instead of jumps.

use super::calls::Architecture;

/// A filter under way. Each block has to [end](Program::end).
#[derive(Clone, Debug)]
pub(crate) struct Program {
    instructions: Vec<Instruction>,
}

/// `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) if_true: u8,
    pub(crate) if_false: u8,
    pub(crate) value: u32,
}

/// An argument of the call, by its place. Only its lower half is looked at: all that are looked at here are
/// `int`s, of which the kernel takes no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Argument(pub(super) u32);

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    /// It is done.
    Allow,
    /// It fails with this error.
    Fail(u16),
    /// The supervisor is asked.
    Ask,
    /// The whole process ends.
    Kill,
}

impl Verdict {
    fn value(self) -> u32 {
        match self {
            Self::Allow => 0x7fff_0000,
            Self::Fail(errno) => 0x0005_0000 | u32::from(errno),
            Self::Ask => 0x7fc0_0000,
            Self::Kill => 0x8000_0000,
        }
    }
}

// BPF_LD | BPF_W | BPF_ABS and so on.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

// Where things are in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// Numbers from here on are those of x32 (`__X32_SYSCALL_BIT`), another way to call the same things.
const X32: u32 = 0x4000_0000;

impl Program {
    /// A program that kills whoever calls by another architecture's numbers.
    pub(super) fn for_architecture(architecture: Architecture) -> Self {
        let mut program = Self { instructions: Vec::new() };
        program.load(ARCHITECTURE);
        program.push(IF_EQUAL, 1, 0, architecture.audit());
        program.end(Verdict::Kill);
        program.load(NUMBER);
        if architecture == Architecture::X86_64 {
            program.block(IF_AT_LEAST, X32, &mut |p| p.end(Verdict::Fail(super::ENOSYS)));
        }
        program
    }

    /// What is done for a call. Looked at in the order in which they were added.
    pub(super) fn on_call(&mut self, number: u32, body: &mut dyn FnMut(&mut Self)) {
        // The number is still loaded: a body that loads something else never comes back here.
        self.block(IF_EQUAL, number, body);
    }

    /// What is done if an argument has this value.
    pub(super) fn when(&mut self, argument: Argument, value: u32, body: &mut dyn FnMut(&mut Self)) {
        self.load(ARGUMENTS + 8 * argument.0);
        self.block(IF_EQUAL, value, body);
    }

    /// What is done if those bits of an argument have this value.
    pub(super) fn when_masked(
        &mut self,
        argument: Argument,
        mask: u32,
        value: u32,
        body: &mut dyn FnMut(&mut Self),
    ) {
        self.load(ARGUMENTS + 8 * argument.0);
        self.push(AND, 0, 0, mask);
        self.block(IF_EQUAL, value, body);
    }

    /// What is done if an argument has any of these bits.
    pub(super) fn when_any_bit(
        &mut self,
        argument: Argument,
        bits: u32,
        body: &mut dyn FnMut(&mut Self),
    ) {
        self.load(ARGUMENTS + 8 * argument.0);
        self.block(IF_ANY_BIT, bits, body);
    }

    /// Ends the block.
    pub(super) fn end(&mut self, verdict: Verdict) {
        self.push(RETURN, 0, 0, verdict.value());
    }

    /// The instructions, in the order in which the kernel takes them.
    #[cfg(test)]
    pub(crate) fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    fn load(&mut self, offset: u32) {
        self.push(LOAD, 0, 0, offset);
    }

    fn block(&mut self, code: u16, value: u32, body: &mut dyn FnMut(&mut Self)) {
        let at = self.instructions.len();
        self.push(code, 0, 0, value);
        body(self);
        let length = self.instructions.len() - at - 1;
        self.instructions[at].if_false =
            u8::try_from(length).expect("no block here has as many as 256 instructions");
    }

    fn push(&mut self, code: u16, if_true: u8, if_false: u8, value: u32) {
        self.instructions.push(Instruction { code, if_true, if_false, value });
    }
}

impl From<Program> for Vec<libc::sock_filter> {
    fn from(program: Program) -> Self {
        let raw = |i: &Instruction| libc::sock_filter {
            code: i.code,
            jt: i.if_true,
            jf: i.if_false,
            k: i.value,
        };
        program.instructions.iter().map(raw).collect()
    }
}
