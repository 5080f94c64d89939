//! x86-64. What is relative to where an instruction stands is told anew; what can't be is not understood.

use iced_x86::{Decoder, DecoderOptions, FlowControl, OpKind};

/// A jump reaches 2 GiB; what the moved instructions refer to has to be in reach, too.
pub(super) const REACH: usize = 1 << 30;

/// `jmp` with a displacement of 32 bits.
const JUMP: usize = 5;

/// How many bytes an indirect call lands on, which stay: `endbr64`.
pub(super) fn landing(code: &[u8]) -> usize {
    const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
    if code.starts_with(&ENDBR64) {
        ENDBR64.len()
    } else {
        0
    }
}

pub(super) fn jump(from: usize, to: usize) -> Option<Vec<u8>> {
    let distance = i32::try_from(to as i64 - (from + JUMP) as i64).ok()?;
    Some([&[0xe9][..], &distance.to_le_bytes()].concat())
}

/// `jmp [rip]`, and where to.
pub(super) fn far_jump(to: usize) -> Vec<u8> {
    [&[0xff, 0x25, 0, 0, 0, 0][..], &to.to_le_bytes()].concat()
}

/// The instructions at the start of a function, from `from` on, in whose place a jump has room, for `to`. They go on behind
/// that place. `None`: they can't be moved.
pub(super) fn moved(code: &[u8], from: usize, to: usize) -> Option<Vec<u8>> {
    let mut decoder = Decoder::with_ip(64, code, from as u64, DecoderOptions::NONE);
    let mut moved = Vec::new();
    while moved.len() < JUMP {
        let at = decoder.position();
        let instruction = decoder.decode();
        let constants = decoder.get_constant_offsets(&instruction);
        let relative = if instruction.is_ip_rel_memory_operand() {
            Some((
                constants.displacement_offset(),
                constants.displacement_size(),
            ))
        } else if instruction.op0_kind() == OpKind::NearBranch64 {
            Some((constants.immediate_offset(), constants.immediate_size()))
        } else {
            None
        };
        if instruction.is_invalid()
            || !matches!(
                instruction.flow_control(),
                FlowControl::Next | FlowControl::Call | FlowControl::ConditionalBranch
            )
        {
            return None;
        }
        let mut bytes = code[at..at + instruction.len()].to_vec();
        if let Some((place, size)) = relative {
            let place = (size == 4).then(|| &mut bytes[place..place + 4])?;
            let distance = i32::from_le_bytes((&*place).try_into().ok()?);
            let distance = i64::from(distance) + from as i64 - to as i64;
            place.copy_from_slice(&i32::try_from(distance).ok()?.to_le_bytes());
        }
        moved.extend(bytes);
    }
    let length = moved.len();
    // No jump of the function may lead to where the new one stands.
    let taken = from as u64 + 1..(from + length) as u64;
    while decoder.can_decode() {
        let instruction = decoder.decode();
        if instruction.op0_kind() == OpKind::NearBranch64
            && taken.contains(&instruction.near_branch_target())
        {
            return None;
        }
    }
    moved.extend(jump(to + length, from + length)?);
    Some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: usize = 0x10_0000;
    const TO: usize = 0x20_0000;

    #[track_caller]
    fn moves(code: &[u8], expected: &[u8]) {
        let back = jump(TO + expected.len(), FROM + expected.len()).unwrap();
        assert_eq!(moved(code, FROM, TO), Some([expected, &back].concat()));
    }

    #[test]
    fn whole_instructions_are_moved() {
        // push rbp; mov rbp, rsp; push rbx; ret
        moves(
            &[0x55, 0x48, 0x89, 0xe5, 0x53, 0xc3],
            &[0x55, 0x48, 0x89, 0xe5, 0x53],
        );
        // sub rsp, 8; xor eax, eax; ret
        moves(
            &[0x48, 0x83, 0xec, 8, 0x31, 0xc0, 0xc3],
            &[0x48, 0x83, 0xec, 8, 0x31, 0xc0],
        );
    }

    #[test]
    fn what_is_relative_is_told_anew() {
        // lea rax, [rip + 0x200000], which is 0x100000 nearer from there
        moves(
            &[0x48, 0x8d, 5, 0, 0, 0x20, 0, 0xc3],
            &[0x48, 0x8d, 5, 0, 0, 0x10, 0],
        );
        // call 0x200000 further
        moves(&[0xe8, 0, 0, 0x20, 0, 0xc3], &[0xe8, 0, 0, 0x10, 0]);
        // je 0x200000 further
        moves(
            &[0x0f, 0x84, 0, 0, 0x20, 0, 0xc3],
            &[0x0f, 0x84, 0, 0, 0x10, 0],
        );
    }

    #[test]
    fn what_can_not_be_moved_is_refused() {
        for code in [
            // a jump of 8 bits; a return; too little
            &[0x74, 0x10, 0x90, 0x90, 0x90, 0x90][..],
            &[0x31, 0xc0, 0xc3, 0x90, 0x90, 0x90],
            &[0x55],
            // a loop that leads into what would be overwritten: push rbp; push rbx; ...; jmp to the second
            &[0x55, 0x53, 0x90, 0x90, 0x90, 0x90, 0xeb, 0xf9],
        ] {
            assert!(moved(code, FROM, TO).is_none(), "{code:x?}");
        }
        // A loop that leads to its start is no harm.
        assert!(moved(&[0x55, 0x53, 0x90, 0x90, 0x90, 0xeb, 0xf9], FROM, TO).is_some());
        // Too far away: lea rax, [rip + i32::MIN]
        assert!(moved(&[0x48, 0x8d, 5, 0, 0, 0, 0x80], FROM, TO).is_none());
    }

    #[test]
    fn what_a_call_lands_on_stays() {
        assert_eq!(landing(&[0xf3, 0x0f, 0x1e, 0xfa, 0x55]), 4);
        assert_eq!(landing(&[0x55, 0x48]), 0);
        assert_eq!(jump(0x1000, 0x2000), Some(vec![0xe9, 0xfb, 0x0f, 0, 0]));
        assert_eq!(jump(0, usize::MAX / 2), None);
    }
}
