/* What is particular to x86-64: the code that runs a table of system calls inside a stopped thread, and the registers around it. */
#include "lib/engine.h"

#include <elf.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

/* rbx walks the table of struct dbx_call, r12 counts. int3 gives the thread back. No stack is touched. */
__asm__(".pushsection .rodata\n"
	".globl dbx_parasite_start, dbx_parasite_end\n"
	".hidden dbx_parasite_start, dbx_parasite_end\n"
	"dbx_parasite_start:\n"
	"1:	test %r12, %r12\n"
	"	jz 3f\n"
	"	mov (%rbx), %rax\n"
	"	mov 8(%rbx), %rdi\n"
	"	mov 16(%rbx), %rsi\n"
	"	mov 24(%rbx), %rdx\n"
	"	mov 32(%rbx), %r10\n"
	"	mov 40(%rbx), %r8\n"
	"	mov 48(%rbx), %r9\n"
	"	syscall\n"
	"	mov %rax, 56(%rbx)\n"
	"	mov 64(%rbx), %rcx\n"
	"	test %rcx, %rcx\n"
	"	jz 2f\n"
	"	mov %rax, (%rcx)\n"
	"	mov 72(%rbx), %rcx\n"
	"	test %rcx, %rcx\n"
	"	jz 2f\n"
	"	mov %rax, (%rcx)\n"
	"	mov 80(%rbx), %rcx\n"
	"	test %rcx, %rcx\n"
	"	jz 2f\n"
	"	mov %rax, (%rcx)\n"
	"2:	add $88, %rbx\n"
	"	dec %r12\n"
	"	jmp 1b\n"
	"3:	int3\n"
	"	jmp 3b\n"
	"dbx_parasite_end:\n"
	".popsection\n");

void dbx_arch_enter(struct user_regs_struct *regs, uint64_t code, uint64_t calls, uint32_t count)
{
	regs->rip = code;
	regs->rbx = calls;
	regs->r12 = count;
	/* Otherwise the kernel would take the interrupted call for one to restart and move rip back. */
	regs->orig_rax = (unsigned long long)-1;
	regs->eflags &= ~UINT64_C(0x100);
}

void dbx_arch_enter_syscall(struct user_regs_struct *regs, uint64_t instruction, const struct dbx_call *call)
{
	regs->rip = instruction;
	regs->orig_rax = (unsigned long long)-1;
	regs->rax = call->number;
	regs->rdi = call->args[0];
	regs->rsi = call->args[1];
	regs->rdx = call->args[2];
	regs->r10 = call->args[3];
	regs->r8 = call->args[4];
	regs->r9 = call->args[5];
}

/* Makes the thread execute its `syscall` instruction again. */
void dbx_arch_call_again(struct user_regs_struct *regs)
{
	regs->rip -= 2;
	regs->rax = regs->orig_rax;
	regs->orig_rax = (unsigned long long)-1;
}

/* A saved register set cannot use the kernel's restart block, which belongs to another time: the call starts anew. */
bool dbx_arch_restart_saved(struct user_regs_struct *regs)
{
	long long result = (long long)regs->rax;
	if ((long long)regs->orig_rax < 0)
		return false;
	bool restart = result == -512 || result == -513 || result == -514 || result == -516;
	if (!restart && !dbx_arch_leaks_eintr(regs))
		return false;
	dbx_arch_call_again(regs);
	return true;
}

/* signal(7), "Interruption of system calls ... by stop signals": these fail with EINTR after any stop, without a handler having run. */
bool dbx_arch_leaks_eintr(const struct user_regs_struct *regs)
{
	if ((long long)regs->rax != -EINTR)
		return false;
	switch ((long long)regs->orig_rax) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
	case SYS_rt_sigtimedwait:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg:
	case SYS_accept:
	case SYS_accept4:
	case SYS_read:
	case SYS_readv:
	case SYS_write:
	case SYS_writev:
	case SYS_io_getevents:
		return true;
	default:
		return false;
	}
}

/*
 * Offset of a `syscall` instruction in the vDSO, whose image is the same in every 64-bit process of this kernel; zero if there is none.
 * The two bytes also occur inside other data; the fallback calls of the vDSO load a small number into eax right before.
 */
uint64_t dbx_arch_syscall_offset(void)
{
	const uint8_t *vdso = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
	if (!vdso)
		return 0;
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)vdso;
	const Elf64_Phdr *program = (const Elf64_Phdr *)(const void *)(vdso + header->e_phoff);
	uint64_t end = 0;
	for (int i = 0; i < header->e_phnum; i++)
		if (program[i].p_type == PT_LOAD)
			end = program[i].p_offset + program[i].p_filesz;
	for (uint64_t at = 64; at + 1 < end; at++)
		if (vdso[at] == 0x0f && vdso[at + 1] == 0x05 && vdso[at - 5] == 0xb8 && !vdso[at - 2] && !vdso[at - 1])
			return at;
	return 0;
}
