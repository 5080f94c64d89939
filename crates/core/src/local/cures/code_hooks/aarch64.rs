//! AArch64. A jump takes one instruction, so one is moved. One that is relative to where it stands is not understood.

/// A jump reaches 128 MiB.
#[cfg_attr(not(target_arch = "aarch64"), expect(dead_code))]
pub(super) const REACH: usize = 127 << 20;

const INSTRUCTION: usize = 4;

/// How many bytes an indirect call lands on, which stay: `bti`. (`paciasp` does not: it goes with what follows.)
pub(super) fn landing(code: &[u8]) -> usize {
    match first(code) {
        Some(0xd503_241f | 0xd503_245f | 0xd503_249f | 0xd503_24df) => INSTRUCTION,
        _ => 0,
    }
}

fn first(code: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*code.first_chunk()?))
}

/// `b`
pub(super) fn jump(from: usize, to: usize) -> Option<Vec<u8>> {
    const BITS: u32 = 26;
    let distance = (to as i64 - from as i64) / INSTRUCTION as i64;
    let fits = (-(1_i64 << (BITS - 1))..1 << (BITS - 1)).contains(&distance);
    let distance = distance as u32 & ((1 << BITS) - 1);
    fits.then(|| (0x1400_0000 | distance).to_le_bytes().to_vec())
}

/// `ldr x16, .+8`, `br x16`, and where to.
pub(super) fn far_jump(to: usize) -> Vec<u8> {
    let code = [0x5800_0050_u32.to_le_bytes(), 0xd61f_0200_u32.to_le_bytes()].concat();
    [code, to.to_le_bytes().to_vec()].concat()
}

/// As for x86-64.
pub(super) fn moved(code: &[u8], from: usize, to: usize) -> Option<Vec<u8>> {
    let first = first(code)?;
    // adr, adrp; b, bl; b.cond; cbz, cbnz; tbz, tbnz; ldr of a literal
    let relative = [
        (0x1f00_0000, 0x1000_0000),
        (0x7c00_0000, 0x1400_0000),
        (0xff00_0000, 0x5400_0000),
        (0x7e00_0000, 0x3400_0000),
        (0x7e00_0000, 0x3600_0000),
        (0x3b00_0000, 0x1800_0000),
    ];
    if relative.iter().any(|(mask, kind)| first & mask == *kind) {
        return None;
    }
    let back = jump(to + INSTRUCTION, from + INSTRUCTION)?;
    Some([&code[..INSTRUCTION], &back].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instruction_is_moved_unless_it_is_relative() {
        // stp x29, x30, [sp, #-32]!
        let code = 0xa9be_7bfd_u32.to_le_bytes();
        let back = 0x17ff_fc00_u32.to_le_bytes();
        assert_eq!(moved(&code, 0x1000, 0x2000), Some([code, back].concat()));
        for relative in [
            0x9000_0000_u32, // adrp x0
            0x1400_0001,     // b
            0x9400_0001,     // bl
            0x5400_0040,     // b.eq
            0xb400_0040,     // cbz x0
            0x3600_0040,     // tbz w0, 0
            0x5800_0040,     // ldr x0, .+8
        ] {
            let code = relative.to_le_bytes();
            assert!(moved(&code, 0x1000, 0x2000).is_none(), "{relative:x}");
        }
    }

    #[test]
    fn jumps_are_encoded() {
        assert_eq!(
            jump(0x1000, 0x2000),
            Some(0x1400_0400_u32.to_le_bytes().to_vec())
        );
        assert_eq!(jump(0, 1 << 28), None);
        assert_eq!(landing(&0xd503_245f_u32.to_le_bytes()), 4);
        assert_eq!(landing(&0xd503_233f_u32.to_le_bytes()), 0);
        assert_eq!(far_jump(0x1234)[8..], 0x1234_usize.to_le_bytes());
    }
}
