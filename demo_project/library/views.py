"""Sync and async views side by side: each is written in the way that suits what it does."""

from datetime import timedelta

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localdate
from django.views.decorators.http import require_POST
from django.views.generic import ListView

from .models import Author, Book, Loan, Member

LOAN_PERIOD = timedelta(days=21)


def book_list(request):
    return render(
        request, "library/book_list.html", {"books": Book.objects.select_related("author")}
    )


class AuthorList(ListView):
    queryset = Author.objects.annotate(book_count=Count("books"))


async def book_detail(request, pk):
    try:
        book = await Book.objects.select_related("author").aget(pk=pk)
    except Book.DoesNotExist:
        raise Http404("No such book.") from None
    # A template runs its queries synchronously, so everything it shows is fetched beforehand.
    context = {
        "book": book,
        "loans": [loan async for loan in book.loans.select_related("member")],
        "members": [member async for member in Member.objects.all()],
    }
    return render(request, "library/book_detail.html", context)


async def open_loans(request):
    loans = Loan.objects.filter(returned=None).select_related("book", "member")
    return JsonResponse(
        {
            "loans": [
                {"book": loan.book.title, "member": loan.member.name, "due": loan.due}
                async for loan in loans
            ]
        }
    )


@require_POST
def lend_book(request, pk):
    book = get_object_or_404(Book, pk=pk)
    member = get_object_or_404(Member, email=request.POST.get("member", ""))
    today = localdate()
    try:
        # The database, not a query before it, decides: two people may ask at the same moment.
        with transaction.atomic():
            book.loans.create(member=member, borrowed=today, due=today + LOAN_PERIOD)
    except IntegrityError:
        messages.error(request, f"{book} is out on loan.")
    else:
        messages.success(request, f"{book} is lent to {member}.")
    return redirect(book)
